"""Short forms of many paths on a command line."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.common.braces import braces


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], ""),
        (["a/b"], "a/b"),
        (["/a/b", "/a/c"], "/a/{b,c}"),
        (["a/s0/x", "a/s0/y", "a/s1/x", "a/s1/y", "b/s0/z"], "{a/{s0,s1}/{x,y},b/s0/z}"),
    ],
)
def test_neighbours_share_what_they_have_in_common(paths: list[str], expected: str) -> None:
    assert braces(paths) == expected


NAMES = st.sampled_from(["a", "b-1", "c_2.parquet", "0-end"])


@settings(max_examples=50)
@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=12, unique=True))
def test_bash_expands_it_to_the_same_paths_in_the_same_order(parts: list[tuple[str, ...]]) -> None:
    # Files at several depths; none is a folder of another.
    paths = ["/".join([*path[: index % 3], f"{index}.csv"]) for index, path in enumerate(parts)]
    paths += ["/".join(path) for path in parts]
    command = ["bash", "-c", f"printf '%s\\n' {braces(paths)}"]
    assert subprocess.check_output(command, text=True).splitlines() == paths
