"""Exchanges, splits by tasks, by source and by instance, and the samples taken of them."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, Message, exchanges
from nearfirst.data.sample import (
    Inventory,
    hold_out,
    read_key_list,
    sample_over_tasks,
    sample_rows,
    split,
    split_by_source,
    split_tasks,
    take_inventory,
)
from nearfirst.data.settings import SampleSettings

Turns = list[tuple[str, str]]

NAMES = st.lists(st.text(min_size=1, max_size=3), min_size=2, max_size=20, unique=True)


@pytest.mark.parametrize(
    ("turns", "kept"),
    [
        ([], []),
        ([("user", "q"), ("assistant", "a")], [0, 1]),
        ([("assistant", "a"), ("user", "q")], []),
        ([("user", "q"), ("user", "r"), ("assistant", "a")], [1, 2]),
        ([("user", "q"), ("assistant", "a"), ("assistant", "b")], [0, 1]),
        ([("user", "q"), ("assistant", " \n"), ("user", "r"), ("assistant", "b")], [2, 3]),
        ([("user", ""), ("assistant", "a"), ("user", "r"), ("assistant", "b")], [2, 3]),
        ([("user", "q"), ("assistant", "a"), ("user", "r"), ("assistant", "b")], [0, 1, 2, 3]),
    ],
)
def test_exchanges_keeps_pairs(turns: Turns, kept: list[int]) -> None:
    messages, dropped = exchanges(turns)
    assert [(m["role"], m["content"]) for m in messages] == [turns[i] for i in kept]
    assert dropped == len(turns) - len(kept)


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.sampled_from(["", " ", "x"]))))
def test_exchanges_are_always_questions_with_answers(turns: Turns) -> None:
    messages, dropped = exchanges(turns)
    assert [m["role"] for m in messages] == ["user", "assistant"] * (len(messages) // 2)
    assert all(m["content"].strip() for m in messages)
    assert len(messages) + dropped == len(turns)


def instance(task: str, *, usable: bool = True, dropped: int = 0, where: str = "") -> Instance:
    messages = [Message(role="user", content="q"), Message(role="assistant", content="a")]
    return Instance("the-id", task, messages if usable else [], dropped, where)


def test_inventory_lists_rows_by_task_and_counts_the_rest() -> None:
    instances = [
        *(instance("b"), instance("a", dropped=2), instance("b", usable=False, dropped=9)),
        *(instance("b", dropped=1), instance("c", usable=False)),
    ]
    found = take_inventory(instances, skip_unusable=True)
    assert {task: list(rows) for task, rows in found.rows.items()} == {"b": [0, 3], "a": [1]}
    assert (found.total, found.unusable, found.dropped_turns) == (5, 2, 3)


def test_inventory_names_the_row_that_has_no_answer() -> None:
    instances = [instance("a"), instance("a", usable=False, where="data.json: row 2")]
    with pytest.raises(InputError, match=r"data\.json: row 2 \(id 'the-id'\): no question"):
        take_inventory(instances, skip_unusable=False)


@given(NAMES, st.integers(0, 5), st.data())
def test_split_is_complete_disjoint_and_blind_to_order(
    names: list[str], seed: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(names) - 1))
    train, unseen = split_tasks(names, count, seed)
    assert len(unseen) == count
    assert sorted([*train, *unseen]) == sorted(names)
    assert (train, unseen) == (sorted(train), sorted(unseen))
    assert split_tasks(data.draw(st.permutations(names)), count, seed) == (train, unseen)


def test_split_by_share_by_seed_and_past_the_end() -> None:
    names = [f"task-{i}" for i in range(40)]
    assert len(split_tasks(names, 0.15, 0)[1]) == 6
    assert len(split_tasks(names, 0.001, 0)[1]) == 1
    assert len({tuple(split_tasks(names, 6, seed)[1]) for seed in range(10)}) == 10
    for count in (40, 41, 0.999):
        with pytest.raises(InputError, match="at most 39"):
            split_tasks(names, count, 0)


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1),
    st.integers(1, 6),
    st.integers(0, 3),
)
def test_a_sample_takes_at_most_n_of_each_task_and_depends_on_that_task_alone(
    sizes: dict[str, int], most: int, seed: int
) -> None:
    starts = {task: 100 * i for i, task in enumerate(sorted(sizes))}
    rows = {task: list(range(starts[task], starts[task] + n)) for task, n in sizes.items()}
    chosen = sample_rows(rows, list(rows), most, seed)
    for task, have in rows.items():
        assert len(chosen & set(have)) == min(most, len(have))
        assert sample_rows({task: have}, [task], most, seed) == chosen & set(have)
    assert sample_rows(rows, list(reversed(list(rows))), most, seed) == chosen


def test_a_sample_depends_on_its_seed() -> None:
    rows = {"a": list(range(100))}
    assert len({tuple(sorted(sample_rows(rows, ["a"], 5, seed))) for seed in range(10)}) == 10


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"train_key_list": ["a"], "eval_key_list": ["b", "nowhere"]}, "'nowhere'"),
        ({"train_key_list": ["x", "y"], "eval_key_list": ["b"]}, "'x' and 1 more"),
        ({"train_key_list": ["a", "b"], "eval_key_list": ["b"]}, "'b' is listed twice"),
        ({"train_key_list": ["a", "a"], "eval_key_list": ["b"]}, "'a' is listed twice"),
        ({"train_key_list": ["a"]}, "eval_key_list"),
        ({"train_key_list": ["a"], "eval_key_list": None}, "eval_key_list"),
        ({"train_key_list": [["a"]], "eval_key_list": ["b"]}, "train_key_list"),
        ({"train_key_list": "ab", "eval_key_list": ["c"]}, "train_key_list"),
        ({"train_key_list": ["a"], "eval_key_list": []}, "at least one"),
        (["a", "b"], "train_key_list"),
        ("{", "train_key_list"),
        ("", "train_key_list"),
        (None, "no such"),
    ],
)
def test_key_lists_that_cannot_be_used(tmp_path: Path, content: object, named: str) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_key_list(path, ["a", "b", "c"])
    assert str(caught.value).startswith(f"{path}: ")
    assert named in str(caught.value)


def test_key_list_keeps_its_order_and_may_leave_tasks_out(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    content = {"train_key_list": ["ü", "a"], "eval_key_list": ["b"], "note": "from the paper"}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert read_key_list(path, ["a", "b", "c", "ü"]) == (["ü", "a"], ["b"])


SOURCES = st.dictionaries(st.integers(0, 30).map("t{}".format), st.sampled_from("abcd"), min_size=2)


@given(SOURCES, st.integers(1, 9), st.integers(0, 5))
def test_a_split_by_source_shares_none(sources: dict[str, str], count: int, seed: int) -> None:
    if len(set(sources.values())) < 2 or count >= len(sources):
        with pytest.raises(InputError):
            split_by_source(sources, count, seed)
        return
    train, unseen = split_by_source(sources, count, seed)
    assert sorted([*train, *unseen]) == sorted(sources)
    assert train
    assert not {sources[task] for task in train} & {sources[task] for task in unseen}
    smallest = min(Counter(sources.values()).values())
    assert 0 < len(unseen) <= max(count, smallest)


def test_the_split_is_the_published_one_unless_asked_otherwise() -> None:
    found = Inventory(
        rows={"a": [0], "b": [1], "c": [2], "d": [3]},
        parts={"a": "train", "b": "unseen", "d": "train"},
        sources={"a": "x", "b": "y", "c": "y", "d": "z"},
    )
    assert split(found, SampleSettings(), None) == (["a", "d"], ["b"])
    assert len(split(found, SampleSettings(split="random", unseen_tasks=2), None)[1]) == 2
    by_source = split(found, SampleSettings(split="source", unseen_tasks=2), None)
    assert ("b" in by_source[0]) == ("c" in by_source[0])
    only_train = Inventory(rows={"a": [0]}, parts={"a": "train"})
    with pytest.raises(InputError, match="1 training and 0 unseen"):
        split(only_train, SampleSettings(), None)


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1),
    st.integers(1, 12),
    st.integers(0, 3),
)
def test_a_generalist_sample_is_spread_over_the_tasks(
    sizes: dict[str, int], count: int, seed: int
) -> None:
    rows = {task: [100 * i + k for k in range(n)] for i, (task, n) in enumerate(sizes.items())}
    if count > sum(sizes.values()):
        with pytest.raises(InputError, match=f"{count} instances, but"):
            sample_over_tasks(rows, list(rows), count, seed)
        return
    chosen = sample_over_tasks(rows, list(rows), count, seed)
    assert len(chosen) == count
    taken = {task: len(chosen & set(have)) for task, have in rows.items()}
    # No task gives a second before every other that still has one has given its first, and so on.
    for task, n in taken.items():
        for other, m in taken.items():
            assert n <= m + 1 or m == sizes[other], (task, other)
    assert chosen == sample_over_tasks(rows, list(reversed(list(rows))), count, seed)


def test_held_out_rows_are_not_trained_on() -> None:
    found = Inventory(rows={"a": list(range(0, 20, 2)), "b": list(range(1, 20, 2))})
    train, test = hold_out(found, 5, 0)
    assert len(test) == 5
    assert train | test == set(range(20))
    assert not train & test
    assert hold_out(found, 5, 1)[1] != test
    with pytest.raises(InputError, match="20 of 20"):
        hold_out(found, 20, 0)
