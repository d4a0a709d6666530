"""Text files that a person reads: captions and summaries."""

import math
import textwrap
from collections.abc import Iterable


def paragraph(text: str) -> str:
    """Return text as one paragraph of lines of at most 90 characters, words whole."""
    return textwrap.fill(text, 90, break_long_words=False, break_on_hyphens=False) + "\n"


def span(values: Iterable[float]) -> str:
    """Return a whole number, or the lowest and the highest of several; NaN counts for nothing."""
    known = [value for value in values if not math.isnan(value)]
    low, high = (f"{end(known, default=math.nan):.0f}" for end in (min, max))
    return low if low == high else f"{low} to {high}"


def counted(count: float, name: str) -> str:
    """Return a number with its noun, such as `1 task` and `1,121 tasks`."""
    return f"{int(count):,} {name}{'' if count == 1 else 's'}"
