"""Where checkpoints lie: each module has a class `Settings`, the type of a row of its source."""
