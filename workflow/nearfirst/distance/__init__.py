"""Distances between instances."""
