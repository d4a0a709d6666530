"""Code that three or more stages share."""
