"""Splits by tasks, by source and by conversation."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.common.errors import InputError
from nearfirst.data.formats.chat import ChatSampleSettings
from nearfirst.data.inventory import Inventory
from nearfirst.data.settings import SampleSettings
from nearfirst.data.split import hold_out, random_tasks, read_key_list, split, tasks_by_source

NAMES = st.lists(st.text(min_size=1, max_size=3), min_size=2, max_size=20, unique=True)


@given(NAMES, st.integers(0, 5), st.data())
def test_a_random_split_is_complete_disjoint_and_blind_to_order(
    names: list[str], seed: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(names) - 1))
    train, unseen = random_tasks(names, count, seed)
    assert len(unseen) == count
    assert sorted([*train, *unseen]) == sorted(names)
    assert random_tasks(data.draw(st.permutations(names)), count, seed) == (train, unseen)


def test_a_random_split_by_share_and_by_seed() -> None:
    names = [f"task-{i}" for i in range(40)]
    assert [len(random_tasks(names, n, 0)[1]) for n in (0.15, 0.17, 0.001)] == [6, 7, 1]
    sources = {name: f"source of {name}" for name in names}
    for unseen in (
        [random_tasks(names, 6, seed)[1] for seed in range(10)],
        [tasks_by_source(sources, 6, seed)[1] for seed in range(10)],
    ):
        assert {len(tasks) for tasks in unseen} == {6}
        assert len(set(map(tuple, unseen))) == 10


SOURCES = st.dictionaries(st.integers(0, 30).map("t{}".format), st.sampled_from("abcd"), min_size=2)


@given(SOURCES, st.integers(1, 9), st.integers(0, 5))
def test_a_split_by_source_shares_none(sources: dict[str, str], count: int, seed: int) -> None:
    train, unseen = tasks_by_source(sources, count, seed)
    assert sorted([*train, *unseen]) == sorted(sources)
    assert train or len(set(sources.values())) == 1 or count >= len(sources)
    assert not {sources[task] for task in train} & {sources[task] for task in unseen}
    assert 0 < len(unseen) <= max(count, min(Counter(sources.values()).values()))


def test_the_split_is_the_published_one_unless_asked_otherwise() -> None:
    inventory = Inventory(
        rows={"a": [0], "b": [1, 4, 5], "c": [2], "d": [3]},
        parts={"a": "train", "b": "unseen", "d": "train"},
        sources={"a": "x", "b": "y", "c": "y", "d": "z"},
    )
    published = split(inventory, SampleSettings(), "tasks", tested_per_task=2)
    assert published == ({"a": [0], "d": [3]}, {"b": [1, 4]})
    assert len(split(inventory, SampleSettings(split="random", unseen_tasks=2), "tasks").test) == 2
    by_source = split(inventory, SampleSettings(split="source", unseen_tasks=2), "tasks")
    assert ("b" in by_source.train) == ("c" in by_source.train)
    with pytest.raises(InputError, match="1 rows to train on and 0 to test on; change split or"):
        split(Inventory(rows={"a": [0]}, parts={"a": "train"}), SampleSettings(), "tasks")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"train_key_list": ["a"], "eval_key_list": ["b", "nowhere"]}, "'nowhere'"),
        ({"train_key_list": ["a", "b"], "eval_key_list": ["b"]}, "'b' is listed twice"),
        ({"train_key_list": ["a"]}, "'eval_key_list' is missing"),
    ],
)
def test_key_lists_that_cannot_be_used(tmp_path: Path, content: object, named: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_key_list(path, ["a", "b", "c"])
    assert str(caught.value).startswith(f"{path}: ")
    assert named in str(caught.value)


def test_a_key_list_keeps_its_order_and_may_leave_tasks_out(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    content = {"train_key_list": ["ü", "a"], "eval_key_list": ["b"], "note": "from the paper"}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert read_key_list(path, ["a", "b", "c", "ü"]) == (["ü", "a"], ["b"])


@pytest.mark.parametrize(
    ("n_rows", "held_out", "expected"),
    [
        (48, None, 5),
        (3, None, 1),
        (9000, None, 200),
        (40, 0.5, 20),
        (9000, 0.5, 4500),
    ],
)
def test_conversations_that_are_held_out_are_not_trained_on(
    n_rows: int, held_out: float | None, expected: int
) -> None:
    inventory = Inventory(rows={"a": list(range(0, n_rows, 2)), "b": list(range(1, n_rows, 2))})
    parts = split(inventory, ChatSampleSettings(held_out=held_out), "rows")
    train, test = ({row for rows in side.values() for row in rows} for side in parts)
    assert len(test) == expected
    assert (train | test, train & test) == (set(range(n_rows)), set())
    assert hold_out(inventory.rows, held_out, 0) == test != hold_out(inventory.rows, held_out, 1)


def test_unseen_tasks_by_name_or_none() -> None:
    inventory = Inventory(rows={"a": [0, 1, 2, 3], "b": [4, 5, 6]})
    named = split(inventory, ChatSampleSettings(unseen_tasks=["b"]), "tasks")
    assert named == ({"a": [0, 1, 2, 3]}, {"b": [4, 5, 6]})
    assert split(inventory, ChatSampleSettings(), "nothing") == (inventory.rows, {})


@pytest.mark.parametrize(
    ("settings", "holds_out", "named"),
    [
        ({"held_out": 6}, "rows", "0 rows to train on and 6 to test on; change held_out"),
        ({"unseen_tasks": 3}, "tasks", "0 rows to train on"),
        ({"unseen_tasks": ["aa", "bb"]}, "tasks", "0 rows to train on"),
        ({"unseen_tasks": ["bbb"]}, "tasks", "has the task 'bbb'; did you mean 'bb'"),
    ],
)
def test_what_cannot_be_held_out(settings: dict[str, Any], holds_out: Any, named: str) -> None:
    inventory = Inventory(rows={"aa": [0, 1, 2], "bb": [3, 4, 5]})
    with pytest.raises(InputError, match=named):
        split(inventory, ChatSampleSettings(**settings), holds_out)
