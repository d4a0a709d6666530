"""Exact Match (Eq. 6): equal except for case, punctuation and white space."""

import string
import unicodedata
from functools import cache


@cache
def _is_punctuation(character: str) -> bool:
    # Unicode does not count some ASCII signs as punctuation: $ + < = > ^ ` | ~
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def is_blank(text: str) -> bool:
    """Return whether a text has nothing but white space, control and format characters."""
    return all(c.isspace() or unicodedata.category(c) in ("Cc", "Cf") for c in text)


def normalize(text: str) -> str:
    """Return a text as Exact Match compares it.

    Unicode NFC, lower case, no punctuation (ASCII and Unicode categories P*), single spaces. As in
    the paper, punctuation leaves no gap: `3.14` becomes `314` and `-5` becomes `5`.

    Unlike in the paper, a text of punctuation alone keeps it: an answer `<` or an empty one would
    otherwise equal a reference `>`.
    """
    lower = unicodedata.normalize("NFC", text).lower()
    kept = "".join(c for c in lower if not _is_punctuation(c))
    return " ".join(kept.split() or lower.split())


def exact_match(answer: str, reference: str) -> float:
    """Return 1 if two texts are equal after `normalize`, else 0; a blank answer is always wrong."""
    return float(not is_blank(answer) and normalize(answer) == normalize(reference))
