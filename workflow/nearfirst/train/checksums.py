"""Checksums of folders, written once all files are on disk.

A folder that lacks checksums or does not match them is incomplete or damaged: never use it.
"""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nearfirst.common.files import sha256, sync, writing

CHECKSUMS = "checksums.json"


def write_checksums(folder: Path, hashes: Mapping[Path, str] | None = None, **facts: Any) -> None:
    """Write the size and SHA-256 of each file in a folder, and `facts`, to its `checksums.json`.

    Files in `hashes` are not read. If the node goes down at any moment, the checksums
    exist only if all files do.
    """
    (folder / CHECKSUMS).unlink(missing_ok=True)
    names = [str(path.relative_to(folder)) for path in sync(folder)]
    sizes = {name: (folder / name).stat().st_size for name in names}
    hashes = hashes or {}
    sums = {name: hashes[folder / name] for name in names if folder / name in hashes}
    sums |= _sha256(folder, [name for name in names if name not in sums])
    content = {**facts, "bytes": sizes, "sha256": sums}
    text = json.dumps({"content": content, "sha256": _sha256_of(content)}, indent=1)
    with writing(folder / CHECKSUMS) as temporary:
        temporary.write_text(text)
    sync(folder)


def read_checksums(folder: Path) -> dict[str, Any] | None:
    """Return a folder's checksums and facts; None if they are missing or damaged."""
    try:
        document = json.loads((folder / CHECKSUMS).read_text())
        content: dict[str, Any] = document["content"]
        return content if _sha256_of(content) == document["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def damage(folder: Path) -> str | None:
    """Return a message naming a damaged file; None if the folder matches its checksums.

    Extra files are ignored: Snakemake leaves a timestamp in its outputs.
    """
    content = read_checksums(folder)
    if content is None:
        return f"{folder / CHECKSUMS} is missing or damaged"
    if fault := wrong_size(folder, content["bytes"]):
        return fault
    for name, actual in _sha256(folder, list(content["sha256"])).items():
        if actual != content["sha256"][name]:
            return f"{folder / name} is damaged: its SHA-256 differs from when it was written"
    return None


def wrong_size(folder: Path, sizes: dict[str, int]) -> str | None:
    """Return a message naming a missing file or one of another size; None if all are right."""
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
    # In threads: hashing releases the global interpreter lock.
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: sha256(folder / name), names), strict=True))
