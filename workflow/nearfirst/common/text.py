"""Text files that a person reads: captions and summaries."""

import textwrap


def paragraph(text: str) -> str:
    """Return text as one paragraph of lines of at most 90 characters, words whole."""
    return textwrap.fill(text, 90, break_long_words=False, break_on_hyphens=False) + "\n"
