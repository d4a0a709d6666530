"""What a pool and a test set hold, before anything is trained."""
