"""Exact Match (Eq. 6): equal but for case, punctuation and extra white space."""

import string
import unicodedata


class _Punctuation(dict[int, int | None]):
    """A table for `str.translate` that drops punctuation; it is filled as characters are met."""

    def __missing__(self, code: int) -> int | None:
        # ASCII has signs that Unicode does not call punctuation: $ + < = > ^ ` | ~
        drop = chr(code) in string.punctuation or unicodedata.category(chr(code)).startswith("P")
        self[code] = None if drop else code
        return self[code]


_WITHOUT_PUNCTUATION = _Punctuation()


def is_blank(text: str) -> bool:
    """Return whether there is nothing to see: white space, control and format characters alone."""
    return all(c.isspace() or unicodedata.category(c) in ("Cc", "Cf") for c in text)


def normalize(text: str) -> str:
    """Return a text as Exact Match compares it.

    Composed (Unicode NFC), in lower case, without punctuation (ASCII's, and Unicode's categories
    P*), every run of white space one space. As in the paper punctuation goes without a trace, so
    that `3.14` is `314` and `-5` is `5`.

    A text of punctuation alone keeps it. The paper would make it empty, and then an answer `<`
    would be equal to a reference `>`, and so would an empty answer.
    """
    lower = unicodedata.normalize("NFC", text).lower()
    return _spaced(lower.translate(_WITHOUT_PUNCTUATION)) or _spaced(lower)


def exact_match(prediction: str, reference: str) -> float:
    """Return 1 if two texts are equal once normalized, else 0; a blank answer is never right."""
    return float(not is_blank(prediction) and normalize(prediction) == normalize(reference))


def _spaced(text: str) -> str:
    return " ".join(text.split())
