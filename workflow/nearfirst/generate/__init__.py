"""Answers of checkpoints: how they are written, drawn, kept and read."""
