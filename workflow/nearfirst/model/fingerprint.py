"""Identity of the files and the code that an unfinished job was using."""

import hashlib
import json
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nearfirst.common.files import sha256
from nearfirst.common.source_files import library_modules


def files(folder: Path, pattern: str = "*") -> list[tuple[str, int, int]]:
    """Return name, size and modification time (ns) of a folder's files; [] if it does not exist.

    Files are not hashed: 27 GB of weights would take minutes.
    """
    status = [(path.name, path.stat()) for path in sorted(folder.rglob(pattern)) if path.is_file()]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in status]


def folders(*names: str) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """Return each name with the files of that folder; none if it is a Hugging Face id."""
    # An empty name would be the working directory.
    return [(name, files(Path(name))) for name in names if name]


def code(module: Path) -> list[str]:
    """Return the SHA-256 of a module and of the modules it imports, and package versions."""
    modules = [module, *library_modules(module, Path(__file__).parents[2])]
    result = [sha256(path) for path in modules]
    for name in ("torch", "transformers", "accelerate", "sentence-transformers", "lm-eval"):
        with suppress(PackageNotFoundError):
            result.append(f"{name} {version(name)}")
    return result


def digest(content: object) -> str:
    """Return the SHA-256 of JSON-serializable content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
