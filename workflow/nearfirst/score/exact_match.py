"""Exact Match (Eq. 6): equal except for case, punctuation and white space."""

import string
import unicodedata


class _Punctuation(dict[int, int | None]):
    """A table for `str.translate` that drops punctuation and caches each character."""

    def __missing__(self, code: int) -> int | None:
        # Unicode does not count some ASCII signs as punctuation: $ + < = > ^ ` | ~
        drop = chr(code) in string.punctuation or unicodedata.category(chr(code)).startswith("P")
        self[code] = None if drop else code
        return self[code]


_WITHOUT_PUNCTUATION = _Punctuation()


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
    words = lower.translate(_WITHOUT_PUNCTUATION).split() or lower.split()
    return " ".join(words)


def exact_match(answer: str, reference: str) -> float:
    """Return 1 if two texts are equal after `normalize`, else 0; a blank answer is always wrong."""
    return float(not is_blank(answer) and normalize(answer) == normalize(reference))
