"""The word files of the modules, and the fields of their templates."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def read_words(module: str) -> Any:
    """Return the content of ``words/NAME.yaml``, given the ``__file__`` of ``NAME.py``.

    Every scalar is a string, even `yes` and `1`. The rules find the file by its name too and take
    it as an input (`word_files` in `common/source_files.py`).
    """
    path = Path(module)
    text = (path.parent / "words" / f"{path.stem}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))


class Fields(dict[str, str]):
    """The fields of a template, for `str.format_map`; ``{a_x}`` is ``{x}`` with an article."""

    def __missing__(self, name: str) -> str:
        """Put an article before a field. Raises KeyError if there is no such field."""
        if not name.startswith("a_"):
            raise KeyError(name)
        word = self[name.removeprefix("a_")]
        # The word files hold no silent h or spoken "you".
        return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"
