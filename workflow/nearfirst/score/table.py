"""The table of scores. Not in `tables.py`, or a new score would train and answer anew."""

import pyarrow as pa

SCORES = pa.schema(
    [
        ("step", pa.int32()),
        ("id", pa.string()),
        ("task", pa.string()),
        ("rouge1", pa.float32()),
        ("rougeL", pa.float32()),
        ("exact_match", pa.float32()),
    ]
)
"""Scores of answers, from 0 to 1, in the order of `scorer.Scores`."""
