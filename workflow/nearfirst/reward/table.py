"""The columns of reward and preference tables.

Not in `common/parquet.py`, which every stage imports: a new column would rerun training.
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
        *((name, pa.string()) for name in ("id", "dataset", "task", "instruction")),
        *((name, pa.string()) for name in ("chosen", "rejected", "corruption")),
        ("held_out", pa.bool_()),
    ]
)
"""Pairs of a gold answer and a corrupted one."""
