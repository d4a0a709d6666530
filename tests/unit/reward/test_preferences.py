"""Preference pairs: wrong answers are wrong, and nothing depends on the order of rows."""

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
    Pool,
    corrupt,
    pairs,
    read_examples,
)
from nearfirst.reward.settings import PreferenceSettings
from nearfirst.score.exact_match import exact_match, normalize

SETTINGS = PreferenceSettings(most=1000, held_out=0.25)


def example(id_: str, task: str, answer: str, *references: str) -> Example:
    right = frozenset(normalize(text) for text in (answer, *references))
    return Example(id_, task, f"question {id_}", answer, right)


def pool(tasks: int = 8, each: int = 12) -> list[Example]:
    """Instances of tasks whose answers have one word, or several."""
    return [
        example(f"{task}-{i}", f"task-{task}", f"{task}{i}" + " is it" * (task % 3) * (i % 2))
        for task in range(tasks)
        for i in range(each)
    ]


def rows(datasets: dict[str, list[Example]], given: PreferenceSettings) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pairs(datasets, given).to_pylist()
    return found


WORDS = st.text(st.sampled_from("ab猫Ж.,-<>? "), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), WORDS, WORDS), min_size=1, max_size=12), st.integers())
def test_a_rejected_answer_is_never_right(given: list[tuple[int, str, str]], seed: int) -> None:
    usable = [
        example(str(i), str(task), answer, *filter(str.strip, [other]))
        for i, (task, answer, other) in enumerate(given)
        if answer.strip()
    ]
    answers = Pool.of(usable)
    for each, (_, answer, other) in zip(
        usable, (row for row in given if row[1].strip()), strict=True
    ):
        kind, rejected = corrupt(each, answers, random.Random(seed))
        assert kind in CORRUPTIONS
        assert not exact_match(rejected, answer)
        assert not exact_match(rejected, other)


def made(kind: str, of: Example, others: list[Example], tries: int = 50) -> set[str | None]:
    answers = Pool.of([of, *others])
    return {CORRUPTIONS[kind](of, answers, random.Random(i)) for i in range(tries)}


def test_each_kind_does_what_it_says() -> None:
    four = example("1", "a", "one two three four", "first")
    others = [example("2", "a", "Five"), example("3", "a", "First!"), example("4", "b", "six")]
    assert made("other-instance", four, others) == {"Five"}
    assert made("other-task", four, others) == {"six"}
    assert made("truncated", four, others) == {"one", "one two", "one two three"}
    assert made("empty", four, others) == {""}
    for text in made("shuffled", four, others):
        assert text is not None
        assert Counter(text.split()) == Counter(four.answer.split())
    for text in made("noise", four, others):
        assert text is not None
        words = text.split()
        assert 4 < len(words) <= 8
        assert [w for w in four.answer.split() if w in words] == four.answer.split()
        assert set(words) <= {*four.answer.split(), "Five", "First!", "six"}
    for text in made("repeated", four, others):
        assert text is not None
        words = text.split()
        stop = next(
            i for i, word in enumerate(words) if words[: i + 1] != four.answer.split()[: i + 1]
        )
        period = next(p for p in (1, 2, 3) if words[stop] == words[stop - p])
        assert all(words[i] == words[i - period] for i in range(stop, len(words)))


def test_what_is_not_possible_is_not_drawn() -> None:
    # One word can be neither shuffled nor cut; the only other answer of the task is right too.
    one = example("1", "a", "Yes", "no")
    assert made("other-instance", one, [example("2", "a", "No.")]) == {None}
    assert made("other-task", one, []) == {None}
    assert made("truncated", one, []) == {None}
    answers = Pool.of([one, example("2", "a", "No.")])
    kinds = {corrupt(one, answers, random.Random(i))[0] for i in range(200)}
    assert kinds == {"repeated", "noise", "empty"}


def test_every_instance_gives_a_pair_of_its_own_texts() -> None:
    examples = pool()
    found = rows({"flan": examples}, SETTINGS)
    assert {row["id"] for row in found} == {each.id for each in examples}
    by_id = {each.id: each for each in examples}
    for row in found:
        own = by_id[row["id"]]
        assert (row["dataset"], row["task"]) == ("flan", own.task)
        assert (row["instruction"], row["chosen"]) == (own.instruction, own.answer)
    assert {row["corruption"] for row in found} == set(CORRUPTIONS)


def test_whole_tasks_are_held_out_and_their_answers_stay_unseen() -> None:
    found = rows({"flan": pool(), "p3": pool(5)}, SETTINGS)
    for dataset, expected in (("flan", 2), ("p3", 1)):
        tasks: dict[bool, set[str]] = {False: set(), True: set()}
        answers: dict[bool, set[str]] = {False: set(), True: set()}
        for row in found:
            if row["dataset"] == dataset:
                tasks[row["held_out"]].add(row["task"])
                answers[row["held_out"]] |= {row["chosen"]}
                if row["corruption"].startswith("other"):
                    answers[row["held_out"]] |= {row["rejected"]}
        assert len(tasks[True]) == expected
        assert not tasks[True] & tasks[False]
        assert not answers[True] & answers[False]


def test_no_training_pair_has_the_instruction_of_a_held_out_one() -> None:
    one, other = pool(), [replace(example, task=f"of-{example.task}") for example in pool()]
    found = rows({"flan": one, "p3": other}, SETTINGS)
    # Alike but for the names of tasks: what is held out of one is in the other.
    held_out = {row["instruction"] for row in found if row["held_out"]}
    assert len(held_out) > len({e.instruction for e in one if e.task in ("task-0", "task-1")})
    assert held_out.isdisjoint(row["instruction"] for row in found if not row["held_out"])
    assert held_out | {row["instruction"] for row in found} == {e.instruction for e in one}


def test_the_order_of_rows_does_not_matter() -> None:
    examples = pool()
    expected = pairs({"a": examples, "b": examples}, SETTINGS)
    for seed in range(3):
        mixed = random.Random(seed).sample(examples, len(examples))
        assert pairs({"b": mixed, "a": mixed[::-1]}, SETTINGS).equals(expected)


def test_a_pair_depends_on_its_own_id_alone() -> None:
    # Fewer are chosen, of all tasks and from the same pool: those that stay are the same.
    everything = {row["id"]: row for row in rows({"a": pool()}, SETTINGS)}
    fewer = rows({"a": pool()}, SETTINGS.model_copy(update={"most": 60}))
    assert len(fewer) == 60
    assert all(row == everything[row["id"]] for row in fewer)


def test_seed_and_data_set_make_other_pairs() -> None:
    def rejected(dataset: str, seed: int) -> list[str]:
        given = SETTINGS.model_copy(update={"seed": seed})
        return [
            r["rejected"] for r in sorted(rows({dataset: pool()}, given), key=lambda r: r["id"])
        ]

    assert rejected("a", 0) == rejected("a", 0)
    assert rejected("a", 0) != rejected("a", 1)
    assert rejected("a", 0) != rejected("b", 0)


def test_hash_randomization_does_not_matter() -> None:
    code = (
        "import sys; sys.path[:0] = ['tests/unit', 'tests', 'workflow']\n"
        "from test_preferences import SETTINGS, pool, rows\n"
        "print(rows({'a': pool()}, SETTINGS))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {f"{rows({'a': pool()}, SETTINGS)}{os.linesep}"}


def test_blank_answers_are_left_out() -> None:
    blank = [example("blank", "task-0", " \n")]
    assert pairs({"a": [*pool(), *blank]}, SETTINGS).equals(pairs({"a": pool()}, SETTINGS))


@pytest.mark.parametrize(
    ("examples", "most", "message"),
    [
        ([], 10, "0 instances with an answer, of 0 tasks"),
        (pool(1), 1000, "12 instances with an answer, of 1 tasks"),
        ([*pool(1), example("x", "other", " ")], 1000, "12 instances with an answer, of 1 tasks"),
        (pool(), 1, r"1 instances .* or raise reward\.preferences\.most"),
    ],
)
def test_too_few_tasks_are_told(examples: list[Example], most: int, message: str) -> None:
    given = SETTINGS.model_copy(update={"most": most})
    with pytest.raises(InputError, match=f"reward.preferences: '[ab]': {message}"):
        pairs({"a": pool(), "b": examples}, given)


def test_one_of_two_tasks_is_held_out_whatever_the_share() -> None:
    for share in (0.01, 0.99):
        found = rows({"a": pool(2)}, SETTINGS.model_copy(update={"held_out": share}))
        assert Counter(row["held_out"] for row in found) == {True: 12, False: 12}


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
