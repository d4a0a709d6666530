"""Models: loading, templates, logits, checkpoints."""
