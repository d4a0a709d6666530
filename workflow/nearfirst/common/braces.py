"""Short forms of many paths on a command line."""

from collections.abc import Sequence
from itertools import groupby


def braces(paths: Sequence[str]) -> str:
    """Return a word that bash expands to some paths, in their order: `losses/{a,b}/x.parquet`.

    The system limits a whole command of `bash -c` to 128 KiB; the tables of twenty seeds, written
    out, can take more. The paths differ, none is a folder of another, and none needs quotes.
    """
    return _braces([path.split("/") for path in paths]) if paths else ""


def _braces(paths: Sequence[Sequence[str]]) -> str:
    """Return the word for paths given by their parts; an empty one if no parts are left."""
    if not paths[0]:
        return ""
    # Neighbours with the same continuation share it.
    words: list[tuple[str, list[str]]] = []
    for name, group in groupby(paths, key=lambda path: path[0]):
        rest = _braces([path[1:] for path in group])
        if words and words[-1][0] == rest:
            words[-1][1].append(name)
        else:
            words.append((rest, [name]))
    return _one_of([_one_of(names) + (f"/{rest}" if rest else "") for rest, names in words])


def _one_of(words: Sequence[str]) -> str:
    return f"{{{','.join(words)}}}" if len(words) > 1 else words[0]
