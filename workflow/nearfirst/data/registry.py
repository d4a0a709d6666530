"""The data formats by name, one module of `data/formats/` each.

The module of a format has

- `Settings`, a `data.settings.Dataset` whose key `format` is the module's name;
- `files(settings, path)`, which lists the files to read;
- `read(settings, path)`, which yields their instances, the same ones each time. If
  `Settings.needs_tokenizer`, its third argument is the folder of the base model; if they have the
  key `test_path`, it is the name of a separate set, or empty.
"""

from collections.abc import Iterator
from pathlib import Path

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import Registry
from nearfirst.data.conversation import Instance
from nearfirst.data.settings import Dataset

FORMATS = Registry[Dataset]("nearfirst.data.formats", "format")


def files_read(settings: Dataset, path: Path) -> list[Path]:
    """Return the files that are opened to read a data set, each once.

    `path` is the file or folder of the pool or of a separate test set. The files include P3's table
    and a `split.json` in the folder, but not a `key_list`.

    Raises InputError if a file that the format needs is missing.
    """
    files: list[Path] = FORMATS.module(settings.format).files(settings, path)
    split = path / "split.json"
    return list(dict.fromkeys([*files, *([split] if split.is_file() else [])]))


def read(
    settings: Dataset, path: Path, tokenizer: Path | None = None, test: str = ""
) -> Iterator[Instance]:
    """Yield the instances of a data set, or of its separate set `test` or `query`.

    Raises InputError if the format needs a tokenizer and there is none, or as its `read` does.
    """
    if settings.needs_tokenizer and tokenizer is None:
        raise InputError(
            f"format {settings.format!r} counts tokens: give the base model's folder, --tokenizer"
        )
    extra: list[object] = [tokenizer] if settings.needs_tokenizer else []
    extra += [test] if hasattr(settings, "test_path") else []
    instances: Iterator[Instance] = FORMATS.module(settings.format).read(settings, path, *extra)
    return instances
