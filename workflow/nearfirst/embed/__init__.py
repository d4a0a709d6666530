"""One vector an instance."""
