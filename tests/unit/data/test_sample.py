"""The inventory of a data set, the samples taken of it, and the program that writes them."""

import json
import subprocess
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import Program
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import SOURCES
from nearfirst.data.conversation import Instance, Message
from nearfirst.data.inventory import DROPPED, take_inventory
from nearfirst.data.registry import FORMATS
from nearfirst.data.sample import sample, sample_over_tasks, sample_rows, table_row

SIZES = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1)


def instance(task: str, *, usable: bool = True, dropped: int = 0, **more: Any) -> Instance:
    messages = [Message(role="user", content="q"), Message(role="assistant", content="a")]
    return Instance("the-id", task, messages if usable else [], dropped, "data.json: row 2", **more)


def test_an_inventory_lists_rows_by_task_and_counts_the_rest() -> None:
    instances = [
        *(instance("b"), instance("a", dropped=2), instance("b", usable=False, dropped=9)),
        *(instance("b", dropped=1), instance("c", usable=False)),
    ]
    found = take_inventory(instances, skip_unusable=True)
    assert {task: list(rows) for task, rows in found.rows.items()} == {"b": [0, 3], "a": [1]}
    assert list(found.warnings()) == [
        f"{DROPPED}: 3 times in 5 rows, the first is data.json: row 2",
        "rows left out (no question with an answer, both not empty): 2 times in 5 rows, the first "
        "is data.json: row 2",
    ]
    with pytest.raises(InputError, match=r"data\.json: row 2 \(id 'the-id'\): no question"):
        take_inventory(instances, skip_unusable=False)


@given(SIZES, st.integers(1, 6), st.integers(0, 3))
def test_the_sample_of_a_task_depends_on_the_seed_and_its_rows(
    sizes: dict[str, int], most: int, seed: int
) -> None:
    rows = {task: range(100 * i, 100 * i + n) for i, (task, n) in enumerate(sizes.items())}
    chosen = sample_rows(rows, most, seed)
    for task, have in rows.items():
        assert len(chosen & set(have)) == min(most, len(have))
        assert sample_rows({task: have}, most, seed) == chosen & set(have)
    assert sample_rows(rows, None, seed) == {row for have in rows.values() for row in have}


def test_a_sample_depends_on_its_seed() -> None:
    assert len({tuple(sorted(sample_rows({"a": range(100)}, 5, seed))) for seed in range(9)}) == 9


@given(SIZES, st.integers(1, 12), st.integers(0, 3))
def test_a_generalist_sample_is_spread_over_the_tasks(
    sizes: dict[str, int], count: int, seed: int
) -> None:
    rows = {task: range(100 * i, 100 * i + n) for i, (task, n) in enumerate(sizes.items())}
    if count > sum(sizes.values()):
        with pytest.raises(InputError, match=f"{count} instances, but"):
            sample_over_tasks(rows, count, seed)
        return
    chosen = sample_over_tasks(rows, count, seed)
    assert len(chosen) == count
    taken = {task: len(chosen & set(have)) for task, have in rows.items()}
    # No task gives a second before every other that still has one has given its first, and so on.
    for task, n in taken.items():
        for other, m in taken.items():
            assert n <= m + 1 or m == sizes[other], (task, other)
    assert chosen == sample_over_tasks(dict(reversed(rows.items())), count, seed)


def test_a_row_is_kept_as_it_was_read() -> None:
    row = {"z": "\ud83d \N{GRINNING FACE}", "a": [1, None], "w": Decimal("0.5"), "t": date.min}
    text = table_row(instance("t", row=row), keep_row=True)["row"]
    # In its order; half a surrogate pair is not a character.
    assert list(json.loads(str(text)).items()) == [
        *(("z", "? \N{GRINNING FACE}"), ("a", [1, None]), ("w", 0.5), ("t", "0001-01-01"))
    ]
    assert table_row(instance("t", row=row), keep_row=False)["row"] is None


# The program -----------------------------------------------------------------------------------


def corpus(path: Path) -> Path:
    """Write additions: six tasks, one for each first number, of five instances."""
    rows = [
        {
            "id": f"{task}-{i}",
            "source": f"task-{task}",
            "conversations": [
                {"from": "human", "value": f"What is {task} plus {i}?"},
                {"from": "gpt", "value": str(task + i)},
            ],
        }
        for i in range(5)
        for task in range(6)
    ]
    path.write_text(json.dumps(rows))
    return path


def run(
    program: Program,
    folder: Path,
    data: Path,
    split: str,
    sample: object,
    *more: object,
    form: str = "flan",
) -> subprocess.CompletedProcess[str]:
    settings = json.dumps({"format": form, "sample": sample})
    output = folder / f"{split}.parquet"
    flags = ("--input", data, "--split", split, "--output", output)
    return program("sample.py", "--settings", settings, *flags, *more)


def sampled(folder: Path, split: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{split}.parquet")


SETTINGS = {"unseen_tasks": 2, "train_per_task": 3, "specialist_per_task": 9, "generalist": 4}


def test_the_program_writes_tables_that_say_what_they_are(program: Program, tmp_path: Path) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    splits = ("train", "specialist-0", "generalist-0")
    for split in splits:
        done = run(program, tmp_path, data, split, SETTINGS, "--dataset", "sums")
        assert done.returncode == 0, done.stderr
        path = tmp_path / f"{split}.parquet"
        assert pq.read_schema(path).equals(SOURCES)
        assert read_identity(path) == {"dataset": "sums", "test": split}
    train, test, generalist = (
        sampled(tmp_path, s) for s in ("train", "specialist-0", "generalist-0")
    )
    assert generalist.groupby("task").size().tolist() == [2] * 2
    assert set(generalist["task"]) == set(test["task"])
    assert train.groupby("task").size().tolist() == [3] * 4
    assert test.groupby("task").size().tolist() == [5] * 2
    assert not set(train["task"]) & set(test["task"])
    rows = {row["id"]: row for row in json.loads(data.read_text())}
    for _, row in train.iterrows():
        task, i = map(int, row["id"].split("-"))
        assert [turn["content"] for turn in row["messages"]] == [
            *(f"What is {task} plus {i}?", str(task + i))
        ]
        assert (row["task"], list(row["references"])) == (f"task-{task}", [str(task + i)])
        assert json.loads(row["row"]) == rows[row["id"]]
    assert test["row"].isna().all()


def test_the_program_takes_a_key_list_and_gives_the_same_bytes_again(
    program: Program, tmp_path: Path
) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    keys = '{"train_key_list": ["task-5", "task-0"], "eval_key_list": ["task-3"]}'
    (tmp_path / "keys.json").write_text(keys)
    listed = ("--key-list", tmp_path / "keys.json")
    for name in ("one", "two"):
        done = run(program, tmp_path / name, data, "train", {}, *listed)
        assert done.returncode == 0, done.stderr
    one, two = ((tmp_path / name / "train.parquet").read_bytes() for name in ("one", "two"))
    assert one == two
    assert set(sampled(tmp_path / "one", "train")["task"]) == {"task-0", "task-5"}
    # A folder may bring its list.
    (tmp_path / "split.json").write_text(keys)
    assert run(program, tmp_path, tmp_path, "specialist-1", {}).returncode == 0
    assert set(sampled(tmp_path, "specialist-1")["task"]) == {"task-3"}


def unanswered(data: Path) -> None:
    rows = json.loads(data.read_text())
    rows[2]["conversations"].pop()
    data.write_text(json.dumps(rows))


def none_usable(data: Path) -> None:
    data.write_text('[{"id": "a", "source": "t", "conversations": []}]')


def test_unusable_rows_are_skipped_and_counted_if_asked(program: Program, tmp_path: Path) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    unanswered(data)
    done = run(program, tmp_path, data, "train", {"unseen_tasks": 1, "unusable": "skip"})
    assert done.returncode == 0, done.stderr
    (warning,) = (line for line in done.stderr.splitlines() if " warning: rows left out" in line)
    assert ": once in " in warning
    assert warning.endswith(f" rows, the first is {data}: row 3")
    assert "2-0" not in set(sampled(tmp_path, "train")["id"])


@pytest.mark.parametrize(
    ("spoil", "split", "sample", "more", "named"),
    [
        (Path.unlink, "train", SETTINGS, [], "flan_mini.json: no such file"),
        (unanswered, "train", SETTINGS, [], "flan_mini.json: row 3 (id '2-0')"),
        (none_usable, "train", {"unusable": "skip"}, [], "of 1 rows none has a question with an"),
        (None, "train", {}, ["--key-list", "/nowhere.json"], "/nowhere.json: no such file"),
        (None, "generalist-0", {"unseen_tasks": 1}, [], "120 instances, but the unseen"),
        (None, "heldout", SETTINGS, [], "--split heldout: expected train, specialist-SEED"),
        (None, "heldout", {}, ["--hold-out", "nothing"], "heldout with a test set of its own"),
        (None, "train", {"unsen_tasks": 1}, [], "sample.unsen_tasks: unknown key"),
    ],
)
def test_the_program_fails_with_one_line_and_writes_nothing(
    program: Program,
    tmp_path: Path,
    spoil: Callable[[Path], None] | None,
    split: str,
    sample: dict[str, object],
    more: list[str],
    named: str,
) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    if spoil:
        spoil(data)
    out = tmp_path / "out"
    done = run(program, out, data, split, sample, *more)
    assert done.returncode == 1
    errors = [line for line in done.stderr.split("\n") if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert named in errors[0]
    assert not out.exists() or not list(out.iterdir())


def test_niv2_tests_the_first_instances_of_what_is_unseen_in_this_split(
    program: Program, tmp_path: Path
) -> None:
    for folder in ("tasks", "splits/default"):
        (tmp_path / folder).mkdir(parents=True)
    for task in ("task1_a", "task2_b"):
        rows = [{"id": f"{task}-{i}", "input": "in", "output": ["out"]} for i in range(5)]
        content = {"Definition": "Do.", "Positive Examples": [], "Instances": rows}
        (tmp_path / "tasks" / f"{task}.json").write_text(json.dumps(content))
    (tmp_path / "splits/default/train_tasks.txt").write_text("task1_a\n")
    (tmp_path / "splits/default/test_tasks.txt").write_text("task2_b\n")
    Tokenizer(WordLevel({"?": 0}, unk_token="?")).save(str(tmp_path / "tokenizer.json"))
    # This split tests the task that is published as a training task.
    settings = {"prompt": {"eval_instances": 2}, "sample": {"split": "random", "unseen_tasks": 1}}
    text = json.dumps({"format": "niv2", **settings})
    for name in ("train", "specialist-0"):
        given = ("--input", tmp_path, "--tokenizer", tmp_path, "--split", name)
        output = ("--output", tmp_path / f"{name}.parquet")
        done = program("sample.py", "--settings", text, *given, *output)
        assert done.returncode == 0, done.stderr
    test = sampled(tmp_path, "specialist-0")
    assert set(test["id"]) == {"task1_a-0", "task1_a-1"}
    assert "Now complete the following example" in test["messages"][0][0]["content"]
    assert len(sampled(tmp_path, "train")) == 5


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ([], "format 'niv2' counts tokens: give the base model's folder, --tokenizer"),
        (["--tokenizer", "{}"], "{}/tokenizer.json: no tokenizer"),
        (["--tokenizer", "/nowhere"], "/nowhere/tokenizer.json: no such file"),
    ],
)
def test_a_tokenizer_that_cannot_be_used(
    program: Program, tmp_path: Path, flags: list[str], named: str
) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    flags = [flag.format(tmp_path) for flag in flags]
    more = ["--input", tmp_path, "--split", "train", "--output", tmp_path / "t.parquet", *flags]
    done = program("sample.py", "--settings", '{"format": "niv2"}', *more)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {named.format(tmp_path)}")


def test_queries_that_are_the_test_set(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    rows = [
        {"prompt": f"{task}{i}?", "completion": "!", "kind": task}
        for task in "abcd"
        for i in range(4)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def queries(per_task: int) -> list[Instance]:
        sizes = {"unseen_tasks": 2, "specialist_per_task": per_task}
        row = json.dumps({"format": "chat", "task_column": "kind", "sample": sizes})
        settings = FORMATS.parse(row, path=str(path))
        return list(sample(settings, path, "specialist-1", apart_from="specialist-0"))

    assert len(queries(2)) == 4
    with pytest.raises(InputError, match="holds the same instances as specialist-0, the test set"):
        queries(4)


# Test conversations that are trained on ---------------------------------------------------------


def lines(path: Path, questions: list[str]) -> Path:
    rows = [{"prompt": question, "completion": "Yes."} for question in questions]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def of_pool(
    program: Program, folder: Path, split: str, *more: object, **sample: object
) -> subprocess.CompletedProcess[str]:
    return run(program, folder, folder / "pool.jsonl", split, sample, *more, form="chat")


def warnings(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.splitlines() if "test conversations" in line]


def ids(folder: Path, split: str) -> list[str]:
    return list(sampled(folder, split)["id"])


def test_a_test_file_is_read_whole_and_what_it_shares_is_counted(
    program: Program, tmp_path: Path
) -> None:
    lines(tmp_path / "pool.jsonl", [f"Is it {n}?" for n in range(6)])
    test = lines(tmp_path / "test.jsonl", ["Is  it 2? ", "Is it new?", "Is it 4?"])
    own = ("--hold-out", "nothing")
    (warning,) = warnings(of_pool(program, tmp_path, "heldout", *own, "--test-input", test))
    assert f"{test}: 2 of 3 test conversations are word for word among the 6 training" in warning
    assert "the first is 'mine_test_1'" in warning
    assert ids(tmp_path, "heldout") == ["mine_test_1", "mine_test_2", "mine_test_3"]
    assert warnings(of_pool(program, tmp_path, "train", *own)) == []
    assert ids(tmp_path, "train") == [f"mine_{n}" for n in range(1, 7)]
    pool = tmp_path / "pool.jsonl"
    (warning,) = warnings(of_pool(program, tmp_path, "heldout", *own, "--test-input", pool))
    assert "the test set is the training set: 6 of 6 test conversations" in warning


def test_what_is_held_out_is_not_trained_on(program: Program, tmp_path: Path) -> None:
    lines(tmp_path / "pool.jsonl", [f"Is it {n}?" for n in range(6)])
    for split in ("train", "heldout"):
        assert warnings(of_pool(program, tmp_path, split, held_out=2)) == []
    train, test = ids(tmp_path, "train"), ids(tmp_path, "heldout")
    assert (len(train), len(test), set(train) & set(test)) == (4, 2, set())
    lines(tmp_path / "pool.jsonl", ["Again?"] * 5)
    (warning,) = warnings(of_pool(program, tmp_path, "heldout", held_out=2))
    assert "the test set is the training set: 2 of 2" in warning


@pytest.mark.parametrize(
    ("test_lines", "unusable", "named"),
    [
        ('{"prompt": "q"}\n', "error", "test.jsonl: prompts without answers, and a loss needs an"),
        (
            '{"prompt": "q", "completion": ""}\n',
            "error",
            "test.jsonl: line 1 (id 'mine_test_1'): no ass",
        ),
        ('{"prompt": "q", "completion": ""}\n', "skip", "test.jsonl: of 1 rows none has a"),
    ],
)
def test_a_test_file_without_answers(
    program: Program, tmp_path: Path, test_lines: str, unusable: str, named: str
) -> None:
    lines(tmp_path / "pool.jsonl", ["One?", "Two?"])
    (tmp_path / "test.jsonl").write_text(test_lines)
    own = ("--test-input", tmp_path / "test.jsonl", "--hold-out", "nothing")
    done = of_pool(program, tmp_path, "heldout", *own, unusable=unusable)
    assert done.returncode == 1
    assert named in next(line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert not (tmp_path / "heldout.parquet").exists()
