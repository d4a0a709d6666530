"""Sources of checkpoints; each module has a class `Settings`, the type of its config rows."""
