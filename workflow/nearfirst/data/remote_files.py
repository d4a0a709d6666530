"""Choose which files to fetch from a repository or package."""

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from nearfirst.common.errors import InputError


def matching(names: Iterable[str], patterns: Sequence[str], owner: str, key: str) -> list[str]:
    """Return the names that match a pattern, sorted.

    `owner` and `key`, the config key of the patterns, are for messages. Raises InputError if a
    pattern matches nothing, or a file would be written outside the folder it is fetched into.
    """
    names = sorted(names)
    chosen: set[str] = set()
    for pattern in patterns:
        matches = fnmatch.filter(names, pattern)
        if not matches:
            raise InputError(
                f"{key}: no file of {owner} matches {pattern!r}; it has {', '.join(names[:5])}"
                f"{', …' if len(names) > 5 else ''}"
            )
        chosen.update(matches)
    for name in sorted(chosen):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise InputError(
                f"{owner} has a file {name!r}, which would be written outside the folder; nothing "
                f"is fetched; check HF_ENDPOINT or the index, or choose other files in {key}"
            )
    return sorted(chosen)
