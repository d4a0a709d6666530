"""What a Snakemake call will cost: jobs, hours and disk."""
