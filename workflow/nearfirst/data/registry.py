"""The formats of data by name: each is one module of `data/formats/`.

The module of a format has

- `Settings`, a `data.settings.Dataset` whose key `format` is the module's name;
- `FILES`, the patterns of the files that it reads in a folder;
- `read(settings, path)`, which yields instances, the same ones each time. If
  `Settings.needs_tokenizer`, it takes the folder of the base model as a third argument.

It may have `read_test(settings, path)`, which reads a test set of its own in another way, and
`files(path)`, which says what is read of a folder better than patterns can.
"""

from collections.abc import Iterator
from pathlib import Path

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import Registry
from nearfirst.data.conversation import Instance
from nearfirst.data.settings import Dataset

FORMATS = Registry[Dataset]("nearfirst.data.formats", "format")


def files_read(name: str, path: Path) -> list[Path]:
    """Return the files that a format reads of a user's file or folder; [] if there is none."""
    module = FORMATS.module(name)
    if not path.is_dir():
        return [path]
    if hasattr(module, "files"):
        found: list[Path] = module.files(path)
        return found
    return [file for pattern in module.FILES for file in sorted(path.glob(pattern))]


def read(settings: Dataset, path: Path, tokenizer: Path | None = None) -> Iterator[Instance]:
    """Yield the instances of a data set.

    Raises InputError if the format needs a tokenizer and there is none, or as its `read`.
    """
    if settings.needs_tokenizer and tokenizer is None:
        raise InputError(
            f"format {settings.format!r} counts tokens: give the base model's folder, --tokenizer"
        )
    extra = [tokenizer] if settings.needs_tokenizer else []
    found: Iterator[Instance] = FORMATS.module(settings.format).read(settings, path, *extra)
    return found


def read_test(settings: Dataset, path: Path) -> Iterator[Instance]:
    """Yield the instances of a test set of its own, by `read_test` of the format or else `read`."""
    of_format = FORMATS.module(settings.format)
    found: Iterator[Instance] = getattr(of_format, "read_test", of_format.read)(settings, path)
    return found
