"""The warning of test conversations that are trained on."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from programs import Program


def lines(path: Path, questions: list[str]) -> Path:
    rows = [{"prompt": question, "completion": "Yes."} for question in questions]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def sample(
    program: Program, folder: Path, split: str, *more: object, **settings: object
) -> subprocess.CompletedProcess[str]:
    return program(
        *("sample.py", "--settings", json.dumps({"format": "chat", "sample": settings})),
        *("--input", folder / "pool.jsonl", "--split", split),
        *("--output", folder / f"{split}.parquet", *more),
    )


def warnings(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.splitlines() if "test conversations" in line]


def ids(folder: Path, split: str) -> list[str]:
    found: list[str] = pd.read_parquet(folder / f"{split}.parquet")["id"].tolist()
    return found


def test_a_test_file_is_read_whole_and_what_it_shares_is_counted(
    program: Program, tmp_path: Path
) -> None:
    lines(tmp_path / "pool.jsonl", [f"Is it {n}?" for n in range(6)])
    test = lines(tmp_path / "test.jsonl", ["Is  it 2? ", "Is it new?", "Is it 4?"])
    own = ("--hold-out", "nothing")
    (warning,) = warnings(sample(program, tmp_path, "heldout", *own, "--test-input", test))
    assert f"{test}: 2 of 3 test conversations are word for word among the 6 training" in warning
    assert "the first is 'mine_test_1'" in warning
    assert ids(tmp_path, "heldout") == ["mine_test_1", "mine_test_2", "mine_test_3"]
    assert warnings(sample(program, tmp_path, "train", *own)) == []
    assert ids(tmp_path, "train") == [f"mine_{n}" for n in range(1, 7)]
    pool = tmp_path / "pool.jsonl"
    (warning,) = warnings(sample(program, tmp_path, "heldout", *own, "--test-input", pool))
    assert "the test set is the training set: 6 of 6 test conversations" in warning


def test_what_is_held_out_is_not_trained_on(program: Program, tmp_path: Path) -> None:
    lines(tmp_path / "pool.jsonl", [f"Is it {n}?" for n in range(6)])
    for split in ("train", "heldout"):
        assert warnings(sample(program, tmp_path, split, held_out=2)) == []
    train, test = ids(tmp_path, "train"), ids(tmp_path, "heldout")
    assert (len(train), len(test), set(train) & set(test)) == (4, 2, set())
    lines(tmp_path / "pool.jsonl", ["Again?"] * 5)
    (warning,) = warnings(sample(program, tmp_path, "heldout", held_out=2))
    assert "the test set is the training set: 2 of 2" in warning


@pytest.mark.parametrize(
    ("test_lines", "unusable", "named"),
    [
        ('{"prompt": "q"}\n', "error", "test.jsonl: prompts without answers, and a loss needs an"),
        ('{"prompt": "q", "completion": ""}\n', "error", "test.jsonl: line 1 (no assistant turn"),
        ('{"prompt": "q", "completion": ""}\n', "skip", "test.jsonl: of 1 rows none has a"),
    ],
)
def test_a_test_file_without_answers(
    program: Program, tmp_path: Path, test_lines: str, unusable: str, named: str
) -> None:
    lines(tmp_path / "pool.jsonl", ["One?", "Two?"])
    (tmp_path / "test.jsonl").write_text(test_lines)
    own = ("--test-input", tmp_path / "test.jsonl", "--hold-out", "nothing")
    done = sample(program, tmp_path, "heldout", *own, unusable=unusable)
    assert done.returncode == 1
    assert named in next(line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert not (tmp_path / "heldout.parquet").exists()
