"""Rewards of answers, by a published reward model or a small one trained on generated pairs."""
