"""What three or more stages use."""
