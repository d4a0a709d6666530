"""What identifies the files and the code that an unfinished job was using."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from nearfirst.common.files import sha256
from nearfirst.common.source_files import library_modules


def files(folder: Path, pattern: str = "*") -> list[tuple[str, int, int]]:
    """Return name, size and modification time (ns) of a folder's files; [] without a folder.

    Not the SHA-256 of weights: hashing 27 GB takes minutes.
    """
    status = [(path.name, path.stat()) for path in sorted(folder.rglob(pattern)) if path.is_file()]
    return [(name, found.st_size, found.st_mtime_ns) for name, found in status]


def code(module: Path) -> list[str]:
    """Return the SHA-256 of a module, of each library module it imports, and package versions."""
    modules = [module, *library_modules(module, Path(__file__).parents[2])]
    packages = [f"{name} {version(name)}" for name in ("torch", "transformers", "accelerate")]
    return [*map(sha256, modules), *packages]


def digest(content: object) -> str:
    """Return the SHA-256 of content that JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
