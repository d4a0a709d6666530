"""Unique ids, and the sources of tasks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.data.conversation import Instance
from nearfirst.data.naming import source_of, unique_ids


@given(st.lists(st.sampled_from(["a", "a#2", "a#3", "a#2#2", "b"]), min_size=1, max_size=8))
def test_ids_are_unique_whatever_the_file_calls_them(ids: list[str]) -> None:
    unique = [i.id for i in unique_ids(Instance(id_, "t", [], 0, "") for id_ in ids)]
    assert len(set(unique)) == len(unique) == len(ids)
    assert all(unique[ids.index(id_)] == id_ for id_ in ids if "#" not in id_)


@pytest.mark.parametrize(
    ("task", "source"),
    [
        ("task851_synthetic_multiply_evens", "synthetic"),
        ("quoref_Guess_Answer", "quoref"),
        ("glue/mrpc:2.0.0", "glue"),
        ("cosmos_qa", "cosmos"),
        ("task12", "task12"),
        ("_", "_"),
    ],
)
def test_the_source_of_a_task(task: str, source: str) -> None:
    assert source_of(task) == source
