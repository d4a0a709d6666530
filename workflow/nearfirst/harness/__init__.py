"""Tasks of lm-evaluation-harness at every checkpoint."""
