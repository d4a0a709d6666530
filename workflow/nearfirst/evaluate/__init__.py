"""Losses of checkpoints."""
