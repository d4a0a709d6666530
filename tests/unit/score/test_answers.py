"""Scores of whole tables: what is written, logged, left out and refused."""

import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import INSTANCES, read_table, write_table
from nearfirst.generate.table import ANSWERS, read_answers
from nearfirst.metrics import SCORE_NAMES
from nearfirst.score import answers, tokenizers
from nearfirst.score.settings import ScoreSettings

Program = Callable[..., subprocess.CompletedProcess[str]]
TALK = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
Answer = tuple[int | None, str | None, str | None]
IDENTITY = {"dataset": "flan", "test": "heldout", "arrangement": "random", "seed": "3"}


def instances(path: Path, references: dict[str, Any]) -> Path:
    columns = {
        "id": list(references),
        "task": ["t"] * len(references),
        "messages": [TALK] * len(references),
        "references": list(references.values()),
    }
    write_table(pa.table(columns, schema=INSTANCES), path)
    return path


def generations(path: Path, rows: list[Answer], **metadata: str) -> Path:
    steps, ids, texts = zip(*rows, strict=True)
    table = pa.table([steps, ids, ["t"] * len(rows), texts], schema=ANSWERS)
    write_table(table, path, metadata)
    return path


def joined(tmp_path: Path, references: dict[str, Any], rows: list[Answer]) -> Any:
    there = instances(tmp_path / "test.parquet", references)
    given = generations(tmp_path / "answers.parquet", rows)
    return answers.references_of(read_answers(given), given, read_table(there, INSTANCES), there)


def refusal(read: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(InputError) as caught:
        read(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_program_writes_a_row_an_answer(tmp_path: Path, program: Program) -> None:
    references = {
        "x": ["the cat sat on the mat"],
        "y": ["No", " ", None],
        "lost": ["", None, "\u200b"],
        "unanswered": ["yes"],
    }
    rows: list[Answer] = [
        *((10, "y", "no!"), (10, "x", "the mat the cat"), (10, "lost", "a")),
        *((0, "x", "the cat is on the mat"), (0, "y", " "), (0, "lost", "b")),
    ]
    given = generations(tmp_path / "answers.parquet", rows, left_out="2", **IDENTITY)
    there = instances(tmp_path / "test.parquet", references)
    command = ("score.py", "--generations", given, "--instances", there)
    output = tmp_path / "scores.parquet"
    done = program(*command, "--output", output, "--log", tmp_path / "score.log")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert table.schema.names == ["step", "id", "task", *SCORE_NAMES]
    assert {table.schema.field(name).type for name in SCORE_NAMES} == {pa.float32()}
    found = table.to_pydict()
    assert found["step"] == [10, 10, 0, 0]
    assert found["id"] == ["y", "x", "x", "y"]
    assert set(found["task"]) == {"t"}
    assert found["rouge1"] == pytest.approx([1, 0.8, 5 / 6, 0])
    assert found["rougeL"] == pytest.approx([1, 0.4, 5 / 6, 0])
    assert found["exact_match"] == [1, 0, 0, 0]
    assert read_identity(output) == IDENTITY
    # Two that were never answered, and the one without a reference.
    assert table.schema.metadata[b"left_out"] == b"3"
    log = (tmp_path / "score.log").read_text()
    assert "1 of 3 instances (the first is id 'lost') are left out" in log
    steps = [line for line in log.splitlines() if " step " in line]
    for line, parts in zip(
        steps,
        (
            ("step 0: ", "ROUGE-1 41.67", "ROUGE-L 41.67", "(2 answers, 1 empty)"),
            ("step 10: ", "ROUGE-1 90.00", "Exact Match 50.00", "(2 answers, 0 empty)"),
        ),
        strict=True,
    ):
        assert all(part in line for part in parts)
    # Settings reach the scores; a table made by hand has no identity and left nothing out.
    instances(there, {"x": ["the cat sat on the mat", "dogs"]})
    generations(given, [(0, "x", "the mat the cat")])
    settings = '{"rouge":"paper","beta":1.2,"references":"mean","stemming":false}'
    done = program(*command, "--output", output, "--settings", settings)
    assert done.returncode == 0, done.stderr
    # Against the second reference all is 0, so the mean is half of the first (test_scorer).
    (row,) = pq.read_table(output).to_pylist()
    assert (row["rouge1"], row["rougeL"]) == pytest.approx((1 / 3, 61 / 316))
    assert "WARNING" not in done.stderr
    assert pq.read_schema(output).metadata == {b"left_out": b"0"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((20, "x", None), "row 1 (step 20, id 'x') has no prediction"),
        ((10, "x", "b"), "step 10, id 'x' stands in 2 rows"),
    ],
)
def test_unusable_answers(tmp_path: Path, row: Answer, message: str) -> None:
    path = generations(tmp_path / "answers.parquet", [(10, "x", "a"), row])
    assert refusal(read_answers, path).startswith(f"{path}: {message}")


def test_answers_to_other_instances(tmp_path: Path) -> None:
    rows: list[Answer] = [(0, "x", "a"), (0, "z", "b"), (10, "z", "b"), (0, "w", "c")]
    message = refusal(joined, tmp_path, {"x": ["a"]}, rows)
    assert message.startswith(
        f"{tmp_path}/answers.parquet: 2 ids are not in {tmp_path}/test.parquet, the first is 'z'; "
    )
    path = instances(tmp_path / "test.parquet", {"x": ["a"]})
    table = pa.table([[0, 10], ["x"] * 2, ["other", "t"], ["a"] * 2], schema=ANSWERS)
    given = tmp_path / "answers.parquet"
    message = refusal(answers.references_of, table, given, read_table(path, INSTANCES), path)
    assert message.startswith(f"{given}: id 'x' is of task 'other', but in {path} of 't'; ")


@pytest.mark.parametrize("references", [None, [None, " "]])
def test_no_reference_at_all(tmp_path: Path, references: Any) -> None:
    message = refusal(joined, tmp_path, {"x": references}, [(0, "x", "a")])
    assert message.startswith(f"{tmp_path}/test.parquet: no instance has a reference with text; ")


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ({"a": ("cat",), "b": ("1 + 1",)}, []),
        ({"a": ("cat",), "b": ("café",)}, ["1 of 2 instances (the first is id 'b') have letters"]),
        ({"a": ("cat",), "b": ("猫", "?")}, ["(the first is id 'b') have a ROUGE of 0"]),
        ({"a": ("猫", "cat"), "b": ("кот",)}, ["'b') have a ROUGE of 0", "'a') have letters"]),
        ({"a": (), "b": ("ABC",)}, ["(the first is id 'a') are left out"]),
    ],
)
def test_warnings_of_text_that_is_ignored(
    caplog: pytest.LogCaptureFixture, references: Any, expected: list[str]
) -> None:
    with caplog.at_level(logging.WARNING):
        answers.warn_of_ignored_text(references, tokenizers.words(True), ScoreSettings())
    assert len(caplog.messages) == len(expected)
    for message, part in zip(caplog.messages, expected, strict=True):
        assert part in message
        assert message.endswith("left out: no reference has text") or message.endswith(
            "; set it to model to compare subwords"
        )
