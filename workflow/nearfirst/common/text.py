"""Text for readers: captions and summaries."""

import math
import textwrap
from collections.abc import Iterable


def paragraph(text: str) -> str:
    """Wrap text as one paragraph of at most 90 characters a line, without breaking words."""
    return textwrap.fill(text, 90, break_long_words=False, break_on_hyphens=False) + "\n"


def span(values: Iterable[float]) -> str:
    """Return the lowest and the highest value, rounded, or one number if they agree; skip NaN."""
    known = [value for value in values if not math.isnan(value)]
    low, high = (f"{extreme(known, default=math.nan):.0f}" for extreme in (min, max))
    return low if low == high else f"{low} to {high}"


def counted(count: float, name: str) -> str:
    """Return a number with its noun, such as "1 task" and "1,121 tasks"."""
    return f"{int(count):,} {name}{'' if count == 1 else 's'}"
