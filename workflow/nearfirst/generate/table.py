"""The table of answers."""

import pyarrow as pa

ANSWERS = pa.schema(
    [
        ("step", pa.int32()),
        ("id", pa.string()),
        ("task", pa.string()),
        ("prediction", pa.string()),
    ]
)
