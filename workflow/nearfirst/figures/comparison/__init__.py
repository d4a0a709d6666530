"""Paired comparisons of arrangements."""
