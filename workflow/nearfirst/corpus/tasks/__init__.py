"""The tasks of the synthetic instruction corpus, a module per group of families."""
