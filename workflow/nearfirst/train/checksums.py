"""Seals of folders: what they hold, written when all of it is on the disk.

A folder without a seal, or one that does not match it, was cut off or damaged and is never used.
"""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nearfirst.common.files import sha256, sync, writing

SEAL = "seal.json"


def seal(folder: Path, **facts: Any) -> None:
    """Write size and SHA-256 of each file into the folder's seal, with some facts.

    A node that goes down at any moment leaves either all files and the seal, or no seal.
    """
    (folder / SEAL).unlink(missing_ok=True)
    files = sync(folder)
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in files}
    content = {**facts, "bytes": sizes, "sha256": _sums(folder, list(sizes))}
    text = json.dumps({"seal": content, "sum": _sum(content)}, indent=1)
    with writing(folder / SEAL) as temporary, temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync(folder)


def read_seal(folder: Path) -> dict[str, Any] | None:
    """Return what a seal says, with its facts; None if there is none, or it is damaged itself."""
    try:
        read = json.loads((folder / SEAL).read_text())
        content: dict[str, Any] = read["seal"]
        return content if _sum(content) == read["sum"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fault(folder: Path) -> str | None:
    """Return what is wrong with a sealed folder, with the name of the file; None if it is whole.

    Files that were put there later are let be: Snakemake leaves a time stamp in its outputs.
    """
    content = read_seal(folder)
    if content is None:
        return f"{folder / SEAL} is missing or damaged"
    wrong = wrong_size(folder, content["bytes"])
    if wrong:
        return wrong
    for name, found in _sums(folder, list(content["sha256"])).items():
        if found != content["sha256"][name]:
            return f"{folder / name} is damaged: it has another SHA-256 than when it was written"
    return None


def wrong_size(folder: Path, sizes: dict[str, int]) -> str | None:
    """Return which file is missing or has another size, if one has."""
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file():
            return f"{path} is missing"
        if path.stat().st_size != size:
            return f"{path} is damaged: it has {path.stat().st_size} bytes, {size} were written"
    return None


def _sum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sums(folder: Path, names: list[str]) -> dict[str, str]:
    # Threads do: hashing lets go of the interpreter.
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: sha256(folder / name), names), strict=True))
