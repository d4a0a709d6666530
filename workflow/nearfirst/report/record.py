"""For the templates in `report/`: captions as reStructuredText, and a figure's config."""

import json
import re
import textwrap
from pathlib import Path
from typing import Any


class Record:
    """The config that reproduces a figure, as a parameter of the rule that draws it.

    Snakemake reruns a rule when plain values of its `params` change. Other objects are not
    recorded, so changes to the config that do not affect the figure do not redraw it.
    """

    def __init__(self, config: Any) -> None:
        self._config = config

    def __str__(self) -> str:
        return json.dumps(self._config)

    def text(self, path: str) -> str:
        """Return a text file as one paragraph of reStructuredText, with all markup escaped."""
        return re.sub(r"([^\w\s]|_)", r"\\\1", " ".join(Path(path).read_text().split()))

    def block(self, path: str) -> str:
        """Return a text file as the body of a literal block."""
        return textwrap.indent(Path(path).read_text(), "    ")
