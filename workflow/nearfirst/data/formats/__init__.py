"""Readers of published data formats, and of the user's own data."""
