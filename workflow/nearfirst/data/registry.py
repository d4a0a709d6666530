"""The formats of data by name: each is one module of `data/formats/`.

The module of a format has

- `Settings`, a `data.settings.Dataset` whose key `format` is the module's name;
- `files(settings, path)`, which lists the files that are read;
- `read(settings, path)`, which yields their instances, the same ones each time. If
  `Settings.needs_tokenizer`, it takes the folder of the base model as a third argument.

It may have `read_test(settings, path, name)`, which reads a test set of its own in another way.
"""

from collections.abc import Iterator
from pathlib import Path

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import Registry
from nearfirst.data.conversation import Instance
from nearfirst.data.settings import Dataset

FORMATS = Registry[Dataset]("nearfirst.data.formats", "format")


def files_read(settings: Dataset, path: Path) -> list[Path]:
    """Return the files that reading a data set opens, each once; the one list there is of them.

    `path` is the pool, or a test set of its own: a file or a folder. P3's table counts as one of
    the files, and so does a `split.json` in the folder. A `key_list` is a file beside them.

    Raises InputError if a file that the format needs is not there.
    """
    found: list[Path] = FORMATS.module(settings.format).files(settings, path)
    split = path / "split.json"
    return list(dict.fromkeys([*found, *([split] if split.is_file() else [])]))


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


def read_test(settings: Dataset, path: Path, name: str = "test") -> Iterator[Instance]:
    """Yield the instances of a set of its own, by `read_test` of the format or else `read`.

    `name` is `test`, or `query` for what data are arranged for.
    """
    of_format = FORMATS.module(settings.format)
    found: Iterator[Instance] = (
        of_format.read_test(settings, path, name)
        if hasattr(of_format, "read_test")
        else of_format.read(settings, path)
    )
    return found
