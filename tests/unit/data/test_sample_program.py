"""The program that reads a published file, splits it and samples one part."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Program = Callable[..., subprocess.CompletedProcess[str]]


def corpus(path: Path, tasks: int = 6, per_task: int = 5) -> Path:
    """Write additions, one task for each first number."""
    rows = [
        {
            "id": f"{task}-{i}",
            "source": f"task-{task}",
            "conversations": [
                {"from": "human", "value": f"What is {task} plus {i}?"},
                {"from": "gpt", "value": str(task + i)},
            ],
        }
        for i in range(per_task)
        for task in range(tasks)
    ]
    path.write_text(json.dumps(rows))
    return path


def sampled(folder: Path, split: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{split}.parquet")


def arguments(
    folder: Path, data: Path, split: str, sample: dict[str, object], *more: object
) -> list[object]:
    dataset = json.dumps({"format": "flan", "sample": sample})
    output = folder / f"{split}.parquet"
    given = {"dataset": dataset, "input": data, "split": split, "output": output}
    return ["sample.py", *(part for k, v in given.items() for part in (f"--{k}", v)), *more]


SPLITS = ("train", "specialist-0", "generalist-0")
SETTINGS = {"unseen_tasks": 2, "train_per_task": 3, "specialist_per_task": 9, "generalist": 4}


def test_the_program_writes_tables_of_the_agreed_columns(program: Program, tmp_path: Path) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    for split in SPLITS:
        done = program(*arguments(tmp_path, data, split, SETTINGS))
        assert done.returncode == 0, done.stderr
    schema = pa.schema(
        {
            "id": pa.string(),
            "task": pa.string(),
            "messages": pa.list_(pa.struct({"role": pa.string(), "content": pa.string()})),
            "references": pa.list_(pa.string()),
            "source": pa.string(),
        }
    )
    for split in SPLITS:
        assert pq.read_schema(tmp_path / f"{split}.parquet").equals(schema)
    train, test, generalist = (sampled(tmp_path, split) for split in SPLITS)
    assert generalist.groupby("task").size().tolist() == [2] * 2
    assert set(generalist["task"]) == set(test["task"])
    assert train.groupby("task").size().tolist() == [3] * 4
    assert test.groupby("task").size().tolist() == [5] * 2
    assert not set(train["task"]) & set(test["task"])
    for _, row in pd.concat([train, test]).iterrows():
        task, i = map(int, row["id"].split("-"))
        assert row["task"] == f"task-{task}"
        assert list(row["messages"]) == [
            {"role": "user", "content": f"What is {task} plus {i}?"},
            {"role": "assistant", "content": str(task + i)},
        ]
        assert list(row["references"]) == [str(task + i)]


def test_the_program_takes_a_key_list_and_gives_the_same_bytes_again(
    program: Program, tmp_path: Path
) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    keys = tmp_path / "keys.json"
    keys.write_text('{"train_key_list": ["task-5", "task-0"], "eval_key_list": ["task-3"]}')
    written = []
    for name in ("one", "two"):
        for split in ("train", "specialist-1"):
            done = program(*arguments(tmp_path / name, data, split, {}, "--key-list", keys))
            assert done.returncode == 0, done.stderr
        written.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    assert written[0] == written[1]
    assert set(sampled(tmp_path / "one", "train")["task"]) == {"task-0", "task-5"}
    assert set(sampled(tmp_path / "one", "specialist-1")["task"]) == {"task-3"}


def unanswered(data: Path) -> None:
    rows = json.loads(data.read_text())
    rows[2]["conversations"].pop()
    data.write_text(json.dumps(rows))


def test_the_program_skips_and_counts_unusable_rows_if_asked(
    program: Program, tmp_path: Path
) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    unanswered(data)
    for split in ("train", "specialist-0"):
        settings = {"unseen_tasks": 1, "unusable": "skip"}
        done = program(*arguments(tmp_path, data, split, settings))
        assert done.returncode == 0, done.stderr
        assert "1 rows without a usable exchange" in done.stderr
        assert "2-0" not in set(sampled(tmp_path, split)["id"])


def test_data_without_a_usable_row_are_refused(program: Program, tmp_path: Path) -> None:
    data = tmp_path / "flan_mini.json"
    data.write_text('[{"id": "a", "source": "t", "conversations": []}]')
    done = program(*arguments(tmp_path, data, "train", {"unusable": "skip"}))
    assert done.returncode == 1
    assert f"error: {data}: of 1 rows none has a question with an answer" in done.stderr


def cut(data: Path) -> None:
    data.write_bytes(data.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("spoil", "split", "sample", "more", "named"),
    [
        (Path.unlink, "train", SETTINGS, [], "flan_mini.json: no such file"),
        (cut, "train", SETTINGS, [], "flan_mini.json: cut off or damaged after row 29"),
        (unanswered, "train", SETTINGS, [], "flan_mini.json: row 3 (id '2-0')"),
        (None, "train", {"unseen_tasks": 6}, [], "unseen_tasks: 6 of 6 tasks"),
        (None, "train", {}, ["--key-list", "/nowhere.json"], "/nowhere.json: no such key-list"),
        (None, "generalist-0", {"unseen_tasks": 1}, [], "120 instances, but the unseen"),
        (None, "heldout", SETTINGS, [], "--split heldout: expected train, specialist-SEED"),
        (None, "test", SETTINGS, [], "--split test: expected train, specialist-SEED"),
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
    done = program(*arguments(out, data, split, sample, *more))
    assert done.returncode == 1
    errors = [line for line in done.stderr.split("\n") if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert named in errors[0]
    assert not out.exists() or not list(out.iterdir())


def test_a_damaged_tokenizer_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    given = {"dataset": '{"format": "niv2"}', "input": tmp_path, "tokenizer": tmp_path}
    given |= {"split": "train", "output": tmp_path / "train.parquet"}
    done = program("sample.py", *(part for k, v in given.items() for part in (f"--{k}", v)))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'tokenizer.json'}: no tokenizer")


@pytest.mark.parametrize("split", ["published", "random", "source"])
def test_niv2_tests_the_first_instances_of_what_is_unseen_in_this_split(
    program: Program, tmp_path: Path, model_folder: Path, split: str
) -> None:
    for folder in ("tasks", "splits/default"):
        (tmp_path / folder).mkdir(parents=True)
    for task in ("task1_a", "task2_b"):
        rows = [{"id": f"{task}-{i}", "input": "in", "output": ["out"]} for i in range(5)]
        content = {"Definition": "Do.", "Positive Examples": [], "Instances": rows}
        (tmp_path / "tasks" / f"{task}.json").write_text(json.dumps(content))
    (tmp_path / "splits/default/train_tasks.txt").write_text("task1_a\n")
    (tmp_path / "splits/default/test_tasks.txt").write_text("task2_b\n")
    sample = {"split": split, "unseen_tasks": 1}
    unseen = set()
    for split_seed in range(3):
        sample["split_seed"] = split_seed
        dataset = {"format": "niv2", "prompt": {"eval_instances": 2}, "sample": sample}
        for name in ("train", "specialist-0"):
            given = {"dataset": json.dumps(dataset), "input": tmp_path, "split": name}
            given |= {"tokenizer": model_folder, "output": tmp_path / f"{name}.parquet"}
            flags = (part for key, value in given.items() for part in (f"--{key}", value))
            assert program("sample.py", *flags).returncode == 0
        (task,) = set(sampled(tmp_path, "specialist-0")["task"])
        assert set(sampled(tmp_path, "specialist-0")["id"]) == {f"{task}-0", f"{task}-1"}
        assert len(sampled(tmp_path, "train")) == 5
        unseen.add(task)
    assert unseen == {"task2_b"} if split == "published" else {"task1_a", "task2_b"}
