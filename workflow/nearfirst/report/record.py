"""What the templates in `report/` call: captions as reStructuredText, and a figure's config."""

import json
import re
import textwrap
from pathlib import Path
from typing import Any


class Record:
    """The config that makes a figure again, as a parameter of the rule that draws it.

    Snakemake records plain values of `params`, and reruns when they change. It does not record an
    object: a key of the config that changes nothing in the figure redraws nothing.
    """

    def __init__(self, config: Any) -> None:
        self._config = config

    def __str__(self) -> str:
        return json.dumps(self._config)

    def text(self, path: str) -> str:
        """Return a text file as one paragraph of reStructuredText, all marks taken literally."""
        return re.sub(r"([^\w\s]|_)", r"\\\1", " ".join(Path(path).read_text().split()))

    def block(self, path: str) -> str:
        """Return a text file as the body of a literal block."""
        return textwrap.indent(Path(path).read_text(), "    ")
