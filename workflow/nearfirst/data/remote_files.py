"""Which files are taken of a repository or a package that others made."""

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from nearfirst.common.errors import InputError


def matching(every: Iterable[str], patterns: Sequence[str], owner: str, key: str) -> list[str]:
    """Return the names that match a pattern, sorted.

    `owner` has them, and `key` is the key of the config that holds the patterns. Raises InputError
    if one matches nothing.
    """
    names = sorted(every)
    chosen: set[str] = set()
    for pattern in patterns:
        found = fnmatch.filter(names, pattern)
        if not found:
            raise InputError(
                f"{key}: no file of {owner} matches {pattern!r}; it has {', '.join(names[:5])}"
                f"{', …' if len(names) > 5 else ''}"
            )
        chosen.update(found)
    return sorted(chosen)


def leaves_folder(name: str) -> bool:
    """Return whether a file of this name would lie outside of the folder that it is put into."""
    place = PurePosixPath(name)
    return place.is_absolute() or ".." in place.parts or "\\" in name
