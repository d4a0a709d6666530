"""Checksums of folders, written once all files are on the disk.

A folder without checksums, or one that does not match them, was cut off or damaged: never use it.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nearfirst.common.files import sha256, sync, writing

CHECKSUMS = "checksums.json"


def write_checksums(folder: Path, known: Mapping[Path, str] | None = None, **facts: Any) -> None:
    """Write size and SHA-256 of each file in a folder to its `checksums.json`, with some facts.

    Files whose SHA-256 is `known` are not read. A node that goes down at any moment leaves either
    all files and the checksums, or none of these.
    """
    (folder / CHECKSUMS).unlink(missing_ok=True)
    names = [str(path.relative_to(folder)) for path in sync(folder)]
    sizes = {name: (folder / name).stat().st_size for name in names}
    known = known or {}
    sums = {name: known[folder / name] for name in names if folder / name in known}
    sums |= _sha256(folder, [name for name in names if name not in sums])
    content = {**facts, "bytes": sizes, "sha256": sums}
    text = json.dumps({"content": content, "sha256": _sha256_of(content)}, indent=1)
    with writing(folder / CHECKSUMS) as temporary, temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync(folder)


def read_checksums(folder: Path) -> dict[str, Any] | None:
    """Return checksums and facts of a folder; None if they are missing or themselves damaged."""
    try:
        read = json.loads((folder / CHECKSUMS).read_text())
        content: dict[str, Any] = read["content"]
        return content if _sha256_of(content) == read["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def damage(folder: Path) -> str | None:
    """Return what is wrong with a folder, naming the file; None if it matches its checksums.

    Further files do not matter: Snakemake leaves a time stamp in its outputs.
    """
    content = read_checksums(folder)
    if content is None:
        return f"{folder / CHECKSUMS} is missing or damaged"
    wrong = wrong_size(folder, content["bytes"])
    if wrong:
        return wrong
    for name, found in _sha256(folder, list(content["sha256"])).items():
        if found != content["sha256"][name]:
            return f"{folder / name} is damaged: its SHA-256 differs from when it was written"
    return None


def wrong_size(folder: Path, sizes: dict[str, int]) -> str | None:
    """Return which file is missing or has another size; None if none has."""
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file():
            return f"{path} is missing"
        if path.stat().st_size != size:
            return f"{path} is damaged: it has {path.stat().st_size} bytes, {size} were written"
    return None


def _sha256_of(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sha256(folder: Path, names: list[str]) -> dict[str, str]:
    # In threads: hashing releases the interpreter lock.
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: sha256(folder / name), names), strict=True))
