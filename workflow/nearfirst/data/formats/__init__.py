"""Readers of the published forms of data, and of data of one's own."""
