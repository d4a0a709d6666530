"""Paired comparisons of arrangements."""

RUN, END, CHECKPOINT = "run", "end", "checkpoint"
"""Where a difference is tested: over the run, at its end, or at a checkpoint."""
