"""From published files to sampled instances."""
