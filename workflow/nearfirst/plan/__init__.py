"""What a call of Snakemake will cost: jobs, bytes on disk and GPU-hours, before it is made."""
