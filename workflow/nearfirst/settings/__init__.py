"""The knobs of each stage, one module a stage, so that a stage depends on its own knobs alone."""
