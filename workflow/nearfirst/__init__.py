"""Arrange instruction data by its nearness to a test set and measure when generalization begins."""
