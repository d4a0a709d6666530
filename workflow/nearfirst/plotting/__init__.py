"""The figures, in one style, drawn from tables of numbers."""
