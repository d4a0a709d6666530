"""Loss of checkpoints."""
