"""The cost of a Snakemake call: jobs, hours and disk."""
