"""Tables that stand beside the figures."""
