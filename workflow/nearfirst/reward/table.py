"""The tables of rewards and of preference pairs.

Not in `tables.py`, which every stage reads, or another column would train and answer anew.
"""

import pyarrow as pa

REWARDS = pa.schema(
    [
        ("step", pa.int32()),
        ("id", pa.string()),
        ("task", pa.string()),
        ("reward", pa.float32()),
    ]
)
"""Rewards of answers, in the units of the reward model."""
PREFERENCES = pa.schema(
    [
        ("id", pa.string()),
        ("dataset", pa.string()),
        ("task", pa.string()),
        ("instruction", pa.string()),
        ("chosen", pa.string()),
        ("rejected", pa.string()),
        ("corruption", pa.string()),
        ("held_out", pa.bool_()),
    ]
)
"""Pairs of a gold answer and a corrupted one."""
