"""Scores of answers against references: Exact Match and ROUGE (Section A.4)."""
