"""What of one's own data is held out, and the warning of test data that are trained on."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.common.errors import InputError
from nearfirst.data import chat_split
from nearfirst.data.formats.chat import ChatSampleSettings
from nearfirst.data.sample import Inventory

Program = Callable[..., subprocess.CompletedProcess[str]]


def pool_of(**tasks: list[int]) -> Inventory:
    return Inventory(rows=dict(tasks), total=sum(map(len, tasks.values())))


@pytest.mark.parametrize(
    ("rows", "held_out", "expected"),
    [(40, None, 4), (3, None, 1), (9000, None, 200), (40, 0.5, 20), (40, 7, 7), (9000, 0.5, 4500)],
)
def test_how_many_rows_are_held_out(rows: int, held_out: float | None, expected: int) -> None:
    found = pool_of(mine=list(range(rows)))
    settings = ChatSampleSettings(held_out=held_out)
    train, test = chat_split.split(found, settings, "heldout", "rows")
    assert len(test) == expected
    assert (train | test, train & test) == (set(range(rows)), set())
    assert chat_split.split(found, settings, "train", "rows").train == train


def test_the_seed_chooses_them() -> None:
    found = pool_of(mine=list(range(100)))
    chosen = [
        chat_split.split(found, ChatSampleSettings(split_seed=seed), "heldout", "rows").test
        for seed in (0, 0, 1)
    ]
    assert chosen[0] == chosen[1] != chosen[2]


@given(st.integers(0, 3), st.sampled_from(["specialist-0", "specialist-7", "generalist-0"]))
def test_no_row_of_an_unseen_task_is_trained_on(split_seed: int, part: str) -> None:
    found = pool_of(a=[0, 3], b=[1, 2], c=[4, 5, 6], d=[7])
    settings = ChatSampleSettings(
        unseen_tasks=2, split_seed=split_seed, generalist=3, specialist_per_task=1
    )
    train, test = chat_split.split(found, settings, part, "tasks")
    of = {row: task for task, rows in found.rows.items() for row in rows}
    assert len(test) == (3 if part == "generalist-0" else 2)
    assert not {of[row] for row in train} & {of[row] for row in test}
    assert chat_split.split(found, settings, "train", "tasks").train == train


def test_unseen_tasks_by_name_and_the_most_that_is_trained_on() -> None:
    found = pool_of(a=[0, 1, 2, 3], b=[4, 5, 6])
    settings = ChatSampleSettings(unseen_tasks=["b"], train_per_task=2, specialist_per_task=9)
    assert len(chat_split.split(found, settings, "train", "tasks").train) == 2
    assert chat_split.split(found, settings, "specialist-0", "tasks").test == {4, 5, 6}
    assert len(chat_split.split(found, settings, "train", "nothing").train) == 4


@pytest.mark.parametrize(
    ("settings", "part", "holds_out", "named"),
    [
        ({"held_out": 6}, "heldout", "rows", "6 of 6 conversations leaves none to train on"),
        ({"unseen_tasks": 2}, "train", "tasks", "2 of 2 tasks leaves none"),
        ({"unseen_tasks": ["a", "b"]}, "train", "tasks", "names all tasks"),
        ({"unseen_tasks": ["c"]}, "train", "tasks", "no usable row has the task 'c'"),
        ({"generalist": 9, "unseen_tasks": 1}, "generalist-0", "tasks", "unseen tasks have 3"),
        ({}, "heldout", "nothing", "of this pool there is train alone"),
        ({}, "specialist-0", "rows", "of this pool there is train and heldout alone"),
        ({}, "heldout", "tasks", "expected train, specialist-SEED or generalist-SEED"),
    ],
)
def test_what_cannot_be_held_out(
    settings: dict[str, Any], part: str, holds_out: Any, named: str
) -> None:
    found = pool_of(a=[0, 1, 2], b=[3, 4, 5])
    with pytest.raises(InputError, match=named):
        chat_split.split(found, ChatSampleSettings(**settings), part, holds_out)


# The program ---------------------------------------------------------------------------------


def lines(path: Path, questions: list[str]) -> Path:
    rows = [{"prompt": question, "completion": "Yes."} for question in questions]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def sample(
    program: Program, folder: Path, pool: Path, split: str, *more: object, sample: object = None
) -> subprocess.CompletedProcess[str]:
    dataset = json.dumps({"format": "chat", **({"sample": sample} if sample else {})})
    return program(
        *("sample.py", "--dataset", dataset, "--input", pool, "--split", split),
        *("--output", folder / f"{split}.parquet", "--log", folder / f"{split}.log", *more),
    )


def ids(folder: Path, split: str) -> list[str]:
    found: list[str] = pd.read_parquet(folder / f"{split}.parquet")["id"].tolist()
    return found


def test_a_test_file_is_read_whole_and_what_it_shares_is_told(
    program: Program, tmp_path: Path
) -> None:
    pool = lines(tmp_path / "pool.jsonl", [f"Is it {n}?" for n in range(6)])
    test = lines(tmp_path / "test.jsonl", ["Is  it 2? ", "Is it new?", "Is it 4?"])
    given = ("--test-input", test, "--hold-out", "nothing")
    done = sample(program, tmp_path, pool, "heldout", *given)
    assert done.returncode == 0, done.stderr
    (warning,) = done.stderr.splitlines()
    assert warning.startswith(f"warning: {test}: 2 of 3 test conversations stand word for word ")
    assert "among the 6 training conversations, the first as 'mine_test_1'" in warning
    assert ids(tmp_path, "heldout") == ["mine_test_1", "mine_test_2", "mine_test_3"]
    done = sample(program, tmp_path, pool, "train", "--hold-out", "nothing")
    assert (done.returncode, done.stderr) == (0, "")
    assert ids(tmp_path, "train") == [f"mine_{n}" for n in range(1, 7)]


def test_a_test_set_that_is_the_training_set_is_told(program: Program, tmp_path: Path) -> None:
    pool = lines(tmp_path / "pool.jsonl", ["One?", "Two?"])
    given = ("--test-input", pool, "--hold-out", "nothing")
    done = sample(program, tmp_path, pool, "heldout", *given)
    assert "the test set is the training set: 2 of 2 test conversations" in done.stderr


def test_what_is_held_out_is_not_trained_on(program: Program, tmp_path: Path) -> None:
    pool = lines(tmp_path / "pool.jsonl", [f"Is it {n}?" for n in range(6)])
    for split in ("train", "heldout"):
        done = sample(program, tmp_path, pool, split, sample={"held_out": 2})
        assert (done.returncode, done.stderr) == (0, "")
    train, test = ids(tmp_path, "train"), ids(tmp_path, "heldout")
    assert (len(train), len(test)) == (4, 2)
    assert not set(train) & set(test)


def test_repetitions_across_a_split_are_told(program: Program, tmp_path: Path) -> None:
    pool = lines(tmp_path / "pool.jsonl", ["Again?"] * 5)
    done = sample(program, tmp_path, pool, "heldout", sample={"held_out": 2})
    assert "warning: " in done.stderr
    assert "the test set is the training set: 2 of 2" in done.stderr
    assert len(ids(tmp_path, "heldout")) == 2


@pytest.mark.parametrize(
    ("test_lines", "sample_", "named"),
    [
        ('{"prompt": "q"}\n', None, "test.jsonl: prompts without answers, and a loss needs an"),
        ('{"prompt": "q", "completion": ""}\n', None, "test.jsonl: line 1 (no assistant turn"),
        (
            '{"prompt": "q", "completion": ""}\n',
            {"unusable": "skip"},
            "test.jsonl: of 1 rows none has a question with an answer",
        ),
    ],
)
def test_a_test_file_without_answers(
    program: Program, tmp_path: Path, test_lines: str, sample_: object, named: str
) -> None:
    pool = lines(tmp_path / "pool.jsonl", ["One?", "Two?"])
    test = tmp_path / "test.jsonl"
    test.write_text(test_lines)
    given = ("--test-input", test, "--hold-out", "nothing")
    done = sample(program, tmp_path, pool, "heldout", *given, sample=sample_)
    assert done.returncode == 1
    (message,) = done.stderr.splitlines()
    assert message.startswith("error: ")
    assert named in message
    assert not (tmp_path / "heldout.parquet").exists()
