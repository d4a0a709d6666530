"""Paired comparisons of arrangements."""

RUN, END, CHECKPOINT = "run", "end", "checkpoint"
"""Is there a difference over the run, at its end, at a checkpoint?"""
