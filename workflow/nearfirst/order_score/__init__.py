"""How well measures of similarity predict the effect of order."""
