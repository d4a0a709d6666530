"""Rewards of answers: the model, its scores, and a small one trained on generated pairs."""
