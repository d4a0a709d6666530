"""What a trainer saw, and whether it saw the pool in order."""
