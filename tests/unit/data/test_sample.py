"""The inventory of a data set, the samples drawn from it, and the program that writes them."""

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
from nearfirst.data.sample import choose, sample, sample_over_tasks, sample_rows, table_row
from nearfirst.data.settings import SampleSettings
from nearfirst.data.split import Split

SIZES = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1)
ROWS = SIZES.map(
    lambda sizes: {task: range(100 * i, 100 * i + n) for i, (task, n) in enumerate(sizes.items())}
)


def instance(task: str, *, usable: bool = True, dropped: int = 0, **more: Any) -> Instance:
    messages = [Message(role="user", content="q"), Message(role="assistant", content="a")]
    return Instance("the-id", task, messages if usable else [], dropped, "data.json: row 2", **more)


def test_an_inventory_lists_rows_by_task_and_counts_the_rest() -> None:
    instances = [
        *(instance("b"), instance("a", dropped=2), instance("b", usable=False, dropped=9)),
        *(instance("b", dropped=1), instance("c", usable=False)),
    ]
    result = take_inventory(instances, skip_unusable=True)
    assert {task: list(rows) for task, rows in result.rows.items()} == {"b": [0, 3], "a": [1]}
    assert list(result.warnings()) == [
        f"{DROPPED}: 3 times in 5 rows, the first is data.json: row 2",
        "rows left out (no question with an answer, both not empty): 2 times in 5 rows, the first "
        "is data.json: row 2",
    ]
    with pytest.raises(InputError, match=r"data\.json: row 2 \(id 'the-id'\): no question"):
        take_inventory(instances, skip_unusable=False)


@given(ROWS, st.integers(1, 6), st.integers(0, 3))
def test_the_sample_of_a_task_depends_on_the_seed_and_its_rows(
    rows: dict[str, range], count: int, seed: int
) -> None:
    chosen = sample_rows(rows, count, seed)
    for task, of_task in rows.items():
        assert len(chosen & set(of_task)) == min(count, len(of_task))
        assert sample_rows({task: of_task}, count, seed) == chosen & set(of_task)
    assert sample_rows(rows, None, seed) == {row for of_task in rows.values() for row in of_task}


def test_a_sample_depends_on_the_seed_in_its_name() -> None:
    tasks = [
        {task: range(100 * i, 100 * i + 100) for i, task in enumerate(names)}
        for names in ("ab", "cdef")
    ]
    parts = Split(*tasks)
    settings = SampleSettings(train_per_task=5, specialist_per_task=5, generalist=3)
    for kind in ("specialist", "generalist"):
        samples = [choose(parts, settings, f"{kind}-{seed}") for seed in range(9)]
        assert len(set(map(frozenset, samples))) == 9
    # Which tasks give a row is drawn, too.
    assert len({frozenset(row // 100 for row in rows) for rows in samples}) > 1
    trained = [
        choose(parts, settings.model_copy(update={"train_seed": seed}), "train")
        for seed in range(9)
    ]
    assert len(set(map(frozenset, trained))) == 9
    # Another task's draw is another one.
    a, b = ({row % 100 for row in trained[0] if row // 100 == i} for i in (0, 1))
    assert a != b


@given(ROWS, st.integers(1, 12), st.integers(0, 3))
def test_a_generalist_sample_is_spread_over_the_tasks(
    rows: dict[str, range], count: int, seed: int
) -> None:
    if count > sum(map(len, rows.values())):
        with pytest.raises(InputError, match=f"{count} instances, but"):
            sample_over_tasks(rows, count, seed)
        return
    chosen = sample_over_tasks(rows, count, seed)
    assert len(chosen) == count
    counts = {task: len(chosen & set(of_task)) for task, of_task in rows.items()}
    # No task gives another row while one with rows left has given fewer.
    for task, n in counts.items():
        for other, m in counts.items():
            assert n <= m + 1 or m == len(rows[other]), (task, other)
    assert chosen == sample_over_tasks(dict(reversed(rows.items())), count, seed)


def test_a_row_is_kept_as_it_was_read() -> None:
    row = {"z": "\ud83d \N{GRINNING FACE}", "a": [1, None], "w": Decimal("0.5"), "t": date.min}
    text = table_row(instance("t", row=row), keep_row=True)["row"]
    # Key order is kept; half a surrogate pair is not a character.
    expected = {"z": "? \N{GRINNING FACE}", "a": [1, None], "w": 0.5, "t": "0001-01-01"}
    assert list(json.loads(str(text)).items()) == list(expected.items())
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
    program: Program, folder: Path, data: Path, split: str, settings: object, *flags: object
) -> subprocess.CompletedProcess[str]:
    files = ("--input", data, "--output", folder / f"{split}.parquet")
    return program(
        "sample.py", "--settings", json.dumps(settings), "--split", split, *files, *flags
    )


def sampled(folder: Path, split: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{split}.parquet")


SIZED = {"unseen_tasks": 2, "train_per_task": 3, "specialist_per_task": 9, "generalist": 4}


def flan(**sample: object) -> dict[str, object]:
    return {"format": "flan", "sample": sample}


def test_the_program_writes_tables_and_their_identity(program: Program, tmp_path: Path) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    splits = ("train", "specialist-0", "generalist-0")
    for split in splits:
        done = run(program, tmp_path, data, split, flan(**SIZED), "--dataset", "sums")
        assert done.returncode == 0, done.stderr
        path = tmp_path / f"{split}.parquet"
        assert pq.read_schema(path).equals(SOURCES)
        assert read_identity(path) == {"dataset": "sums", "test": split}
    train, test, generalist = (sampled(tmp_path, split) for split in splits)
    assert generalist.groupby("task").size().tolist() == [2] * 2
    assert set(generalist["task"]) == set(test["task"])
    assert train.groupby("task").size().tolist() == [3] * 4
    assert test.groupby("task").size().tolist() == [5] * 2
    assert not set(train["task"]) & set(test["task"])
    rows = {row["id"]: row for row in json.loads(data.read_text())}
    for _, row in train.iterrows():
        task, i = map(int, row["id"].split("-"))
        question, answer = f"What is {task} plus {i}?", str(task + i)
        assert [turn["content"] for turn in row["messages"]] == [question, answer]
        assert (row["task"], list(row["references"])) == (f"task-{task}", [answer])
        assert json.loads(row["row"]) == rows[row["id"]]
    assert test["row"].isna().all()


def test_key_lists_and_reproducible_bytes(program: Program, tmp_path: Path) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    keys = '{"train_key_list": ["task-5", "task-0"], "eval_key_list": ["task-3"]}'
    (tmp_path / "keys.json").write_text(keys)
    for name in ("a", "b"):
        folder, key_list = tmp_path / name, ("--key-list", tmp_path / "keys.json")
        done = run(program, folder, data, "train", flan(), *key_list)
        assert done.returncode == 0, done.stderr
    a, b = ((tmp_path / name / "train.parquet").read_bytes() for name in ("a", "b"))
    assert a == b
    assert set(sampled(tmp_path / "a", "train")["task"]) == {"task-0", "task-5"}
    # A folder may contain its list.
    (tmp_path / "split.json").write_text(keys)
    assert run(program, tmp_path, tmp_path, "specialist-1", flan()).returncode == 0
    assert set(sampled(tmp_path, "specialist-1")["task"]) == {"task-3"}


def drop_an_answer(data: Path) -> None:
    rows = json.loads(data.read_text())
    rows[2]["conversations"].pop()
    data.write_text(json.dumps(rows))


def drop_all_turns(data: Path) -> None:
    data.write_text('[{"id": "a", "source": "t", "conversations": []}]')


def test_unusable_rows_are_skipped_and_counted_if_asked(program: Program, tmp_path: Path) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    drop_an_answer(data)
    done = run(program, tmp_path, data, "train", flan(unseen_tasks=1, unusable="skip"))
    assert done.returncode == 0, done.stderr
    (warning,) = (line for line in done.stderr.splitlines() if " warning: rows left out" in line)
    assert ": once in " in warning
    assert warning.endswith(f" rows, the first is {data}: row 3")
    assert "2-0" not in set(sampled(tmp_path, "train")["id"])


@pytest.mark.parametrize(
    ("damage", "split", "sample", "flags", "named"),
    [
        (Path.unlink, "train", SIZED, [], "flan_mini.json: no such file"),
        (drop_an_answer, "train", SIZED, [], "flan_mini.json: row 3 (id '2-0')"),
        (drop_all_turns, "train", {"unusable": "skip"}, [], "of 1 rows none has a question with"),
        (None, "train", {}, ["--key-list", "/nowhere.json"], "/nowhere.json: no such file"),
        (None, "generalist-0", {"unseen_tasks": 1}, [], "120 instances, but the unseen"),
        (None, "heldout", SIZED, [], "--split heldout: expected train, specialist-SEED"),
        (None, "heldout", {}, ["--hold-out", "nothing"], "heldout with a separate test set"),
        (None, "train", {"unsen_tasks": 1}, [], "sample.unsen_tasks: unknown key"),
    ],
)
def test_the_program_fails_with_one_line_and_writes_nothing(
    program: Program,
    tmp_path: Path,
    damage: Callable[[Path], None] | None,
    split: str,
    sample: dict[str, object],
    flags: list[str],
    named: str,
) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    if damage:
        damage(data)
    done = run(program, tmp_path / "out", data, split, flan(**sample), *flags)
    assert done.returncode == 1
    (error,) = (line for line in done.stderr.split("\n") if line.startswith("error:"))
    assert named in error
    assert not list(tmp_path.glob("out/*"))


def test_niv2_limits_the_test_instances_of_tasks_unseen_in_this_split(
    program: Program, tmp_path: Path
) -> None:
    for folder in ("tasks", "splits/default"):
        (tmp_path / folder).mkdir(parents=True)
    for task, file in (("task1_a", "train_tasks.txt"), ("task2_b", "test_tasks.txt")):
        rows = [{"id": f"{task}-{i}", "input": "in", "output": ["out"]} for i in range(5)]
        content = {"Definition": "Do.", "Positive Examples": [], "Instances": rows}
        (tmp_path / "tasks" / f"{task}.json").write_text(json.dumps(content))
        (tmp_path / "splits/default" / file).write_text(f"{task}\n")
    Tokenizer(WordLevel({"?": 0}, unk_token="?")).save(str(tmp_path / "tokenizer.json"))
    # This split tests the task that was published as a training task.
    sample = {"split": "random", "unseen_tasks": 1}
    settings = {"format": "niv2", "prompt": {"eval_instances": 2}, "sample": sample}
    for split in ("train", "specialist-0"):
        done = run(program, tmp_path, tmp_path, split, settings, "--tokenizer", tmp_path)
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
def test_unusable_tokenizers(
    program: Program, tmp_path: Path, flags: list[str], named: str
) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    flags = [flag.format(tmp_path) for flag in flags]
    done = run(program, tmp_path, tmp_path, "train", {"format": "niv2"}, *flags)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {named.format(tmp_path)}")


def lines(path: Path, *rows: dict[str, str]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_queries_that_equal_the_test_set(tmp_path: Path) -> None:
    rows = ({"prompt": f"{i}?", "completion": "!", "kind": "abcd"[i % 4]} for i in range(16))
    path = lines(tmp_path / "pool.jsonl", *rows)

    def queries(per_task: int) -> list[Instance]:
        sizes = {"unseen_tasks": 2, "specialist_per_task": per_task}
        row = json.dumps({"format": "chat", "task_column": "kind", "sample": sizes})
        settings = FORMATS.parse(row, path=str(path))
        return list(sample(settings, path, "specialist-1", apart_from="specialist-0"))

    assert len(queries(2)) == 4
    with pytest.raises(InputError, match="holds the same instances as specialist-0, the test set"):
        queries(4)


def test_a_chat_template_is_asked_once_about_each_conversation_with_tools(tmp_path: Path) -> None:
    """Rendering takes milliseconds, and a pool may have millions of them."""
    turns = [
        *({"role": "user", "content": "Is it raining?"}, {"role": "tool", "content": "no"}),
        {"role": "assistant", "content": "No."},
    ]
    rows = [{"messages": turns, "id": f"{n}"} for n in range(20)]
    (tmp_path / "pool.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    settings, asked = FORMATS.parse('{"format": "chat"}', path=str(tmp_path / "pool.jsonl")), []

    def takes(messages: Any) -> str:
        asked.append(messages)
        return ""

    assert len(list(sample(settings, tmp_path / "pool.jsonl", "train", takes=takes))) == 18
    assert len(asked) == 20


# Test conversations that are trained on ---------------------------------------------------------


def ask(path: Path, *questions: str) -> Path:
    return lines(path, *({"prompt": text, "completion": "Yes."} for text in questions))


QUESTIONS = [f"Is it {n}?" for n in range(6)]
OWN_TEST = ("--hold-out", "nothing", "--test-input")


def sample_pool(
    program: Program, folder: Path, split: str, *flags: object, **sample: object
) -> tuple[list[str], list[str]]:
    """Return the ids of a sample of the pool, and the warnings about test conversations."""
    settings = {"format": "chat", "sample": sample}
    done = run(program, folder, folder / "pool.jsonl", split, settings, *flags)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "test conversations" in line]
    return list(sampled(folder, split)["id"]), warnings


def test_a_test_file_is_read_whole_and_its_overlap_counted(
    program: Program, tmp_path: Path
) -> None:
    pool = ask(tmp_path / "pool.jsonl", *QUESTIONS)
    test = ask(tmp_path / "test.jsonl", "Is  it 2? ", "Is it new?", "Is it 4?")
    ids, (warning,) = sample_pool(program, tmp_path, "heldout", *OWN_TEST, test)
    assert ids == ["mine_test_1", "mine_test_2", "mine_test_3"]
    assert f"{test}: 2 of 3 test conversations are word for word among the 6 training" in warning
    assert "the first is 'mine_test_1'" in warning
    train = sample_pool(program, tmp_path, "train", *OWN_TEST[:2])
    assert train == ([f"mine_{n}" for n in range(1, 7)], [])
    _, (warning,) = sample_pool(program, tmp_path, "heldout", *OWN_TEST, pool)
    assert "the test set is the training set: 6 of 6 test conversations" in warning


def test_held_out_rows_are_not_trained_on(program: Program, tmp_path: Path) -> None:
    ask(tmp_path / "pool.jsonl", *QUESTIONS)
    (train, train_warnings), (test, test_warnings) = (
        sample_pool(program, tmp_path, split, held_out=2) for split in ("train", "heldout")
    )
    assert (len(train), len(test), set(train) & set(test)) == (4, 2, set())
    assert train_warnings == test_warnings == []
    ask(tmp_path / "pool.jsonl", *["Again?"] * 5)
    _, (warning,) = sample_pool(program, tmp_path, "heldout", held_out=2)
    assert "the test set is the training set: 2 of 2" in warning


@pytest.mark.parametrize(
    ("row", "unusable", "named"),
    [
        ({"prompt": "q"}, "error", "test.jsonl: prompts without answers, and a loss needs an"),
        ({"prompt": "q", "completion": ""}, "error", "test.jsonl: line 1 (id 'mine_test_1'): no a"),
        ({"prompt": "q", "completion": ""}, "skip", "test.jsonl: of 1 rows none has a"),
    ],
)
def test_a_test_file_without_answers(
    program: Program, tmp_path: Path, row: dict[str, str], unusable: str, named: str
) -> None:
    pool = ask(tmp_path / "pool.jsonl", "One?", "Two?")
    test = lines(tmp_path / "test.jsonl", row)
    settings = {"format": "chat", "sample": {"unusable": unusable}}
    done = run(program, tmp_path, pool, "heldout", settings, *OWN_TEST, test)
    assert done.returncode == 1
    assert named in next(line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert not (tmp_path / "heldout.parquet").exists()
