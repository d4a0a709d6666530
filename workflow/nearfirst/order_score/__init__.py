"""How well similarity measures predict the effect of order."""
