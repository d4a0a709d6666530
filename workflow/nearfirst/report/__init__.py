"""Contents of `snakemake --report`."""
