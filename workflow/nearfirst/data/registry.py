"""The formats of data by name: each is one module of `data/formats/`.

The module of a format has

- `Settings`, a `data.settings.Dataset` whose key `format` is the module's name;
- `FILES`, the patterns of the files that it reads in a folder;
- `read(settings, path)`, which yields instances, the same ones each time. If
  `Settings.needs_tokenizer`, it takes the folder of the base model as a third argument.

It may have `read_test(settings, path)`, which reads a test set of its own in another way.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nearfirst.common import named_modules
from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.settings import Dataset

PACKAGE = "nearfirst.data.formats"


def names() -> list[str]:
    """Return the names of the formats, sorted."""
    return named_modules.names(PACKAGE)


def module(name: str) -> Any:
    """Return the module of a format. Raises InputError, with the nearest name, if there is none."""
    try:
        return named_modules.find(PACKAGE, name)
    except ValueError as error:
        raise InputError(f"format: {error}") from None


def settings_class(name: str) -> type[Dataset]:
    """Return the type of a data set's row in the config. Raises InputError as `module`."""
    found: type[Dataset] = module(name).Settings
    return found


def parse(text: str, path: Path) -> Dataset:
    """Return the settings of the data set at `path`, given all others as JSON text.

    Raises
    ------
    InputError
        If the text is not a JSON object, or a key or value does not fit the format.
    """
    try:
        content = {"path": str(path), **json.loads(text)}
    except (ValueError, TypeError) as error:
        raise InputError(f"--settings: not a JSON object ({error})") from None
    return settings_class(str(content.get("format"))).parse(json.dumps(content))


def read(settings: Dataset, path: Path, tokenizer: Path | None = None) -> Iterator[Instance]:
    """Yield the instances of a data set.

    Raises
    ------
    InputError
        If the format needs a tokenizer and there is none, or as `read` of the format.
    """
    if settings.needs_tokenizer and tokenizer is None:
        raise InputError(
            f"format {settings.format!r} counts tokens: give the base model's folder, --tokenizer"
        )
    extra = [tokenizer] if settings.needs_tokenizer else []
    found: Iterator[Instance] = module(settings.format).read(settings, path, *extra)
    return found


def read_test(settings: Dataset, path: Path) -> Iterator[Instance]:
    """Yield the instances of a test set of its own, by `read_test` of the format or else `read`."""
    of_format = module(settings.format)
    found: Iterator[Instance] = getattr(of_format, "read_test", of_format.read)(settings, path)
    return found
