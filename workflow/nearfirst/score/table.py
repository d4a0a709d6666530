"""The columns of a scores table. Not in `common/parquet.py`: a new score would rerun training."""

import pyarrow as pa

from nearfirst.metrics import SCORE_NAMES

SCORES = pa.schema(
    [
        ("step", pa.int32()),
        ("id", pa.string()),
        ("task", pa.string()),
        *((name, pa.float32()) for name in SCORE_NAMES),
    ]
)
"""Scores of answers, from 0 to 1."""
