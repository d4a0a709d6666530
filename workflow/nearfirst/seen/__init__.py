"""What a trainer saw, and whether that was the pool in its order."""
