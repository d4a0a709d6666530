"""The word files that lie beside the modules, and the fields of their templates."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def read_words(module: str) -> Any:
    """Return the words of a module: what ``words/NAME.yaml`` beside ``NAME.py`` holds.

    Every scalar is a string, `yes` and `1` too. The rules find the file by its name as well and
    take it as an input (`word_files` in `common/source_files.py`).

    Parameters
    ----------
    module
        The module's ``__file__``.
    """
    path = Path(module)
    text = (path.parent / "words" / f"{path.stem}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))


class Fields(dict[str, str]):
    """The fields of a template, for `str.format_map`; ``{a_x}`` is ``{x}`` with its article."""

    def __missing__(self, name: str) -> str:
        """Put an article before a field; raises KeyError if there is none of that name."""
        if not name.startswith("a_"):
            raise KeyError(name)
        word = self[name.removeprefix("a_")]
        # The word files hold no silent h or spoken "you".
        return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"
