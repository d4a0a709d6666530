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
from checkout import flan_rows
from conversations import refusal
from hypothesis import given
from hypothesis import strategies as st
from own_files import lines
from programs import Program

from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import SOURCES
from nearfirst.data.conversation import Instance, Message
from nearfirst.data.formats.chat import Settings
from nearfirst.data.inventory import DROPPED, take_inventory
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
    trained = {
        frozenset(choose(parts, settings.model_copy(update={"train_seed": seed}), "train"))
        for seed in range(9)
    }
    assert len(trained) == 9
    # Another task's draw is another one.
    a, b = ({row % 100 for row in next(iter(trained)) if row // 100 == i} for i in (0, 1))
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
    row = {"z": "\N{GRINNING FACE}", "a": [1, None], "w": Decimal("0.5"), "t": date.min}
    text = table_row(instance("t", row=row), keep_row=True)["row"]
    # Key order is kept.
    expected = {"z": "\N{GRINNING FACE}", "a": [1, None], "w": 0.5, "t": "0001-01-01"}
    assert list(json.loads(str(text)).items()) == list(expected.items())
    assert table_row(instance("t", row=row), keep_row=False)["row"] is None


# The program -----------------------------------------------------------------------------------


SIZED = {"unseen_tasks": 2, "train_per_task": 3, "specialist_per_task": 9, "generalist": 4}


@pytest.fixture
def run(program: Program, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the program on a Flan-mini: `run("out/train.parquet", SIZED)` samples `train`."""
    (tmp_path / "flan_mini.json").write_text(json.dumps(flan_rows()))

    def run(output: str, sizes: object, *flags: object) -> subprocess.CompletedProcess[str]:
        settings = json.dumps({"format": "flan", "sample": sizes})
        files = ("--input", tmp_path, "--output", tmp_path / output)
        split = Path(output).stem
        return program("sample.py", "--settings", settings, "--split", split, *files, *flags)

    return run


def test_the_program_writes_tables_and_their_identity(run: Any, tmp_path: Path) -> None:
    tables = []
    for split in ("train", "specialist-0", "generalist-0"):
        done = run(f"{split}.parquet", SIZED, "--dataset", "sums")
        assert done.returncode == 0, done.stderr
        path = tmp_path / f"{split}.parquet"
        assert pq.read_schema(path).equals(SOURCES)
        assert read_identity(path) == {"dataset": "sums", "test": split}
        tables.append(pd.read_parquet(path))
    train, test, generalist = tables
    assert generalist.groupby("task").size().tolist() == [2] * 2
    assert set(generalist["task"]) == set(test["task"])
    assert train.groupby("task").size().tolist() == [3] * 10
    assert test.groupby("task").size().tolist() == [6] * 2
    assert not set(train["task"]) & set(test["task"])
    rows = {row["id"]: row for row in flan_rows()}
    for _, row in train.iterrows():
        original = rows[row["id"]]
        question, answer = (turn["value"] for turn in original["conversations"])
        assert [turn["content"] for turn in row["messages"]] == [question, answer]
        assert (row["task"], list(row["references"])) == (original["source"], [answer])
        assert json.loads(row["row"]) == original
    assert test["row"].isna().all()


def test_key_lists_and_reproducible_bytes(run: Any, tmp_path: Path) -> None:
    keys = '{"train_key_list": ["task_5", "task_0"], "eval_key_list": ["task_3"]}'
    (tmp_path / "keys.json").write_text(keys)
    a, b = tmp_path / "a/train.parquet", tmp_path / "b/train.parquet"
    for path in (a, b):
        assert run(path, {}, "--key-list", tmp_path / "keys.json").returncode == 0
    assert a.read_bytes() == b.read_bytes()
    assert set(pd.read_parquet(a)["task"]) == {"task_0", "task_5"}
    # A folder may contain its list.
    (tmp_path / "keys.json").rename(tmp_path / "split.json")
    assert run("specialist-1.parquet", {}).returncode == 0
    assert set(pd.read_parquet(tmp_path / "specialist-1.parquet")["task"]) == {"task_3"}


def test_queries_that_equal_the_test_set(tmp_path: Path) -> None:
    rows = ({"prompt": f"{i}?", "completion": "!", "kind": "abcd"[i % 4]} for i in range(16))
    path = lines(tmp_path / "pool.jsonl", *rows)

    def queries(per_task: int) -> list[Instance]:
        sizes = {"unseen_tasks": 2, "specialist_per_task": per_task}
        settings = Settings(path="pool", task_column="kind", sample=sizes)  # type: ignore[arg-type]
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
    pool = lines(tmp_path / "pool.jsonl", *[{"messages": turns}] * 20)
    asked = []

    def takes(messages: Any) -> str:
        asked.append(messages)
        return ""

    assert len(list(sample(Settings(path="pool"), pool, "train", takes=takes))) == 18
    assert len(asked) == 20


# Test conversations that are trained on ---------------------------------------------------------


def ask(path: Path, *questions: str) -> Path:
    return lines(path, *({"prompt": text, "completion": "Yes."} for text in questions))


def test_a_test_set_is_read_whole_and_its_overlap_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = ask(tmp_path / "pool.jsonl", *(f"Is it {n}?" for n in range(6)))
    test = ask(tmp_path / "test.jsonl", "Is  it 2? ", "Is it new?", "Is it 4?")

    def sampled(split: str, test_path: Path | None = None) -> tuple[list[str], list[str]]:
        caplog.clear()
        kind: Any = "nothing" if test_path else "rows"
        rows = sample(Settings(path=str(pool)), pool, split, holds_out=kind, test_path=test_path)
        return [instance.id for instance in rows], caplog.messages

    ids, (warning,) = sampled("heldout", test)
    assert ids == ["mine_test_1", "mine_test_2", "mine_test_3"]
    assert f"{test}: 2 of 3 test conversations are word for word among the 6 training" in warning
    assert "the first is 'mine_test_1'" in warning
    assert "6 of 6 test conversations" in sampled("heldout", pool)[1][0]
    assert sampled("train")[1] == sampled("heldout")[1] == []


def test_a_test_file_without_answers(tmp_path: Path) -> None:
    pool = ask(tmp_path / "pool.jsonl", "One?", "Two?")
    test = lines(tmp_path / "test.jsonl", {"prompt": "q", "completion": ""})
    settings = Settings(path="pool", test_path="test", sample={"unusable": "skip"})  # type: ignore[arg-type]
    assert "test.jsonl: of 1 rows none has a" in refusal(
        lambda: sample(settings, pool, "heldout", test_path=test)
    )
