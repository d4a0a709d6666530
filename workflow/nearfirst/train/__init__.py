"""Instruction tuning, segment by segment."""
