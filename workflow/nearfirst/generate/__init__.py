"""Answers of checkpoints: generation, sampling, storage and checks."""
