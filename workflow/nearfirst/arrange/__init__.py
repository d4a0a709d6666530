"""The order in which instances are seen, and which of them."""
