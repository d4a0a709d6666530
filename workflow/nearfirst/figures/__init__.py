"""The kinds of figure and their numbers."""
