"""Preference pairs: rejected answers are wrong, and the order of rows does not matter."""

import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from checkout import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import INSTANCES, write_table
from nearfirst.reward.preferences import (
    CORRUPTIONS,
    Example,
    corrupt,
    pairs,
    pool_of,
    read_examples,
)
from nearfirst.reward.settings import PreferenceSettings
from nearfirst.score.exact_match import exact_match, normalize

SETTINGS = PreferenceSettings(held_out=0.25)
WORDS = st.text(st.sampled_from("ab猫Ж.,-<>? "), min_size=1, max_size=12)


def example(id_: str, task: str, answer: str, *references: str) -> Example:
    right = frozenset(normalize(text) for text in (answer, *references))
    return Example(id_, task, f"question {id_}", answer, right)


def make_examples(tasks: int = 8) -> list[Example]:
    """Twelve instances of each task, whose answers have one or more words."""
    return [
        example(f"{task}-{i}", f"task-{task}", f"{task}{i}" + " is it" * (task % 3) * (i % 2))
        for task in range(tasks)
        for i in range(12)
    ]


EXAMPLES = make_examples()


def rows(datasets: dict[str, list[Example]], **changes: Any) -> list[dict[str, Any]]:
    table = pairs(datasets, SETTINGS.model_copy(update=changes))
    return list(table.to_pylist())


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 3), WORDS, WORDS), min_size=1, max_size=12), st.integers())
def test_a_rejected_answer_is_never_right(drawn: list[tuple[int, str, str]], seed: int) -> None:
    usable = [row for row in drawn if row[1].strip()]
    examples = [
        example(str(i), str(task), answer, *filter(str.strip, [other]))
        for i, (task, answer, other) in enumerate(usable)
    ]
    pool = pool_of(examples)
    for each, (_, answer, other) in zip(examples, usable, strict=True):
        corruption, rejected = corrupt(each, pool, random.Random(seed))
        assert corruption in CORRUPTIONS
        assert not exact_match(rejected, answer)
        assert not exact_match(rejected, other)


def corrupted(corruption: str, example: Example, others: list[Example]) -> set[str | None]:
    pool = pool_of([example, *others])
    return {CORRUPTIONS[corruption](example, pool, random.Random(i)) for i in range(50)}


def test_each_corruption_does_what_it_says() -> None:
    four = example("1", "a", "one two three four", "first")
    original = four.answer.split()
    others = [example("2", "a", "Five"), example("3", "a", "First!"), example("4", "b", "six")]
    assert corrupted("other-instance", four, others) == {"Five"}
    assert corrupted("other-task", four, others) == {"six"}
    assert corrupted("truncated", four, others) == {"one", "one two", "one two three"}
    assert corrupted("empty", four, others) == {""}
    for text in corrupted("shuffled", four, others):
        assert Counter(str(text).split()) == Counter(original)
    for text in corrupted("noise", four, others):
        words = str(text).split()
        assert 4 < len(words) <= 8
        assert [word for word in original if word in words] == original
        assert set(words) <= {*original, "Five", "First!", "six"}
    for text in corrupted("repeated", four, others):
        words = str(text).split()
        stop = next(i for i in range(len(words)) if words[: i + 1] != original[: i + 1])
        period = next(p for p in (1, 2, 3) if words[stop] == words[stop - p])
        assert all(words[i] == words[i - period] for i in range(stop, len(words)))


def test_impossible_corruptions_are_not_drawn() -> None:
    # One word can be neither shuffled nor truncated; the task's only other answer is right too.
    one, no = example("1", "a", "Yes", "no"), example("2", "a", "No.")
    assert corrupted("other-instance", one, [no]) == {None}
    assert corrupted("other-task", one, []) == {None}
    assert corrupted("truncated", one, []) == {None}
    drawn = {corrupt(one, pool_of([one, no]), random.Random(i))[0] for i in range(200)}
    assert drawn == {"repeated", "noise", "empty"}


def test_whole_tasks_are_held_out_and_their_answers_stay_unseen() -> None:
    both = rows({"flan": EXAMPLES, "p3": make_examples(5)})
    for dataset, expected in (("flan", 2), ("p3", 1)):
        tasks: dict[bool, set[str]] = {False: set(), True: set()}
        answers: dict[bool, set[str]] = {False: set(), True: set()}
        for row in (row for row in both if row["dataset"] == dataset):
            tasks[row["held_out"]].add(row["task"])
            drawn = {row["rejected"]} if row["corruption"].startswith("other") else set()
            answers[row["held_out"]] |= {row["chosen"], *drawn}
        assert len(tasks[True]) == expected
        assert not tasks[True] & tasks[False]
        assert not answers[True] & answers[False]
    for share in (0.01, 0.99):  # one of two tasks, whatever the share
        counts = Counter(row["held_out"] for row in rows({"a": make_examples(2)}, held_out=share))
        assert counts == {True: 12, False: 12}


def test_no_training_pair_has_the_instruction_of_a_held_out_one() -> None:
    # Two data sets that differ only in the names of tasks: each holds out tasks of the other.
    renamed = [replace(each, task=f"other-{each.task}") for each in EXAMPLES]
    both = rows({"flan": EXAMPLES, "p3": renamed})
    held_out = {row["instruction"] for row in both if row["held_out"]}
    assert len(held_out) > 2 * 12
    assert held_out.isdisjoint(row["instruction"] for row in both if not row["held_out"])
    assert {row["instruction"] for row in both} == {each.instruction for each in EXAMPLES}


def test_the_order_of_rows_does_not_matter() -> None:
    expected = rows({"a": EXAMPLES, "b": EXAMPLES})
    blank = example("blank", "task-0", " \n")  # is left out
    for seed in range(3):
        mixed = random.Random(seed).sample(EXAMPLES, len(EXAMPLES))
        assert rows({"b": [*mixed, blank], "a": mixed[::-1]}) == expected


def test_a_pair_depends_on_its_id_the_seed_and_the_data_set() -> None:
    by_id = {row["id"]: row for row in rows({"a": EXAMPLES})}
    texts = {(row["id"], row["task"], row["instruction"], row["chosen"]) for row in by_id.values()}
    assert texts == {(each.id, each.task, each.instruction, each.answer) for each in EXAMPLES}
    assert {row["corruption"] for row in by_id.values()} == set(CORRUPTIONS)
    # A smaller choice from all tasks and the same pool: the remaining pairs are the same.
    fewer = rows({"a": EXAMPLES}, max_per_dataset=60)
    assert len(fewer) == 60
    assert all(row == by_id[row["id"]] for row in fewer)
    for other in (rows({"a": EXAMPLES}, seed=1), rows({"b": EXAMPLES})):
        assert any(row["rejected"] != by_id[row["id"]]["rejected"] for row in other)
    # So do the tasks that are held out.
    held_out = [
        frozenset(row["task"] for row in rows({"a": EXAMPLES}, seed=seed) if row["held_out"])
        for seed in range(4)
    ]
    assert len(set(held_out)) > 1


def test_hash_randomization_does_not_matter() -> None:
    code = (
        "import sys; sys.path[:0] = ['tests/unit/reward', 'tests/helpers', 'workflow']\n"
        "from test_preferences import EXAMPLES, rows\n"
        "print(rows({'a': EXAMPLES}))"
    )
    env = {**os.environ, "PYTHONHASHSEED": "1"}
    printed = subprocess.check_output([sys.executable, "-c", code], env=env, cwd=ROOT, text=True)
    assert printed == f"{rows({'a': EXAMPLES})}\n"


@pytest.mark.parametrize(
    ("examples", "limit", "message"),
    [
        ([], 10, "0 instances with an answer, from 0 tasks"),
        ([*make_examples(1), example("x", "other", " ")], 1000, "12 instances .*, from 1 tasks"),
        (EXAMPLES, 1, r"1 instances .* or raise reward\.preferences\.max_per_dataset"),
    ],
)
def test_too_few_tasks_are_refused(examples: list[Example], limit: int, message: str) -> None:
    with pytest.raises(InputError, match=f"reward.preferences: '[ab]' has {message}"):
        rows({"a": EXAMPLES, "b": examples}, max_per_dataset=limit)


def test_instances_are_read_with_all_their_references(tmp_path: Path, talk: Any) -> None:
    columns = {
        "id": ["1", "2"],
        "task": ["a", "b"],
        "messages": [talk("How?", "So!", "Why?", "Because."), talk("Wo?", "Да, здесь")],
        "references": [["So!", "like this", None, ""], None],
    }
    write_table(pa.table(columns, schema=INSTANCES), tmp_path / "train.parquet")
    first, second = read_examples(tmp_path / "train.parquet")
    assert first == Example("1", "a", "How?", "So!", frozenset({"so", "like this"}))
    assert second == Example("2", "b", "Wo?", "Да, здесь", frozenset({"да здесь"}))
