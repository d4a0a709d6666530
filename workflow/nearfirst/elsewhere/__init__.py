"""Checkpoints of runs that were trained elsewhere."""
