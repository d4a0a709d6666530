"""Scores of whole tables: columns, metadata, log, warnings and refusals."""

import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from programs import Program
from runs import IDENTITY

from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import INSTANCES, read_table, write_table
from nearfirst.generate.table import ANSWERS
from nearfirst.metrics import SCORE_NAMES
from nearfirst.score import answers, tokenizers

TALK = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
Answer = tuple[int, str, str]


def instances(path: Path, references: dict[str, Any]) -> Path:
    count = len(references)
    columns = [[*references], ["t"] * count, [TALK] * count, [*references.values()]]
    write_table(pa.table(columns, schema=INSTANCES), path)
    return path


def generations(path: Path, rows: list[Answer], **metadata: str) -> Path:
    steps, ids, texts = zip(*rows, strict=True)
    table = pa.table([steps, ids, ["t"] * len(rows), texts], schema=ANSWERS)
    write_table(table, path, metadata)
    return path


def test_the_program_writes_a_row_per_answer(tmp_path: Path, program: Program) -> None:
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
    identity = {**IDENTITY, "trained": "48", "without_label": "24"}  # for captions
    answers_path = generations(tmp_path / "answers.parquet", rows, left_out="2", **identity)
    instances_path = instances(tmp_path / "test.parquet", references)
    command = ("score.py", "--generations", answers_path, "--instances", instances_path)
    output = tmp_path / "scores.parquet"
    done = program(*command, "--output", output, check=True)
    table = pq.read_table(output)
    assert table.schema.names == ["step", "id", "task", *SCORE_NAMES]
    columns = table.to_pydict()
    assert columns["step"] == [10, 10, 0, 0]
    assert columns["id"] == ["y", "x", "x", "y"]
    assert set(columns["task"]) == {"t"}
    assert columns["rouge1"] == pytest.approx([1, 0.8, 5 / 6, 0])
    assert columns["rougeL"] == pytest.approx([1, 0.4, 5 / 6, 0])
    assert columns["exact_match"] == [1, 0, 0, 0]
    assert read_identity(output) == identity
    # Two that were never answered, and the one without a reference.
    assert table.schema.metadata[b"left_out"] == b"3"
    assert "1 of 3 instances (the first is id 'lost') are left out" in done.stderr
    assert "step 0: ROUGE-1 41.67" in done.stderr
    assert "Exact Match 50.00" in done.stderr
    # Settings reach the scores; a table made by hand has no identity and left nothing out.
    instances(instances_path, {"x": ["the cat sat on the mat", "dogs"]})
    generations(answers_path, [(0, "x", "the mat the cat")])
    settings = '{"rouge":"paper","beta":1.2,"references":"mean","stemming":false}'
    program(*command, "--output", output, "--settings", settings, check=True)
    # All scores against the second reference are 0, so the mean is half of the first.
    (row,) = pq.read_table(output).to_pylist()
    assert (row["rouge1"], row["rougeL"]) == pytest.approx((1 / 3, 61 / 316))
    assert pq.read_schema(output).metadata == {b"left_out": b"0"}


@pytest.mark.parametrize("references", [None, [None, " "]])
def test_a_test_set_without_references_is_named(tmp_path: Path, references: Any) -> None:
    table = read_table(instances(tmp_path / "test.parquet", {"x": references}), INSTANCES)
    answered = pa.table({"id": ["x"]})
    with pytest.raises(InputError, match="no instance has a reference with text"):
        answers.references_of(answered, table, tmp_path / "test.parquet")


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ({"a": ("cat",), "b": ("1 + 1",)}, []),
        ({"a": ("cat",), "b": ("café",)}, ["1 of 2 instances (the first is id 'b') have text"]),
        (
            {"a": ("cat",), "b": ("猫", "?"), "c": ("?",)},
            ["2 of 3 instances (the first is id 'b')"],
        ),
        ({"a": (), "b": ("ABC",)}, ["(the first is id 'a') are left out"]),
    ],
)
def test_ignored_text_is_warned_of(
    caplog: pytest.LogCaptureFixture, references: Any, expected: list[str]
) -> None:
    with caplog.at_level(logging.WARNING):
        answers.warn_of_ignored_text(references, tokenizers.words(True), "words")
    assert len(caplog.messages) == len(expected)
    assert all(part in caplog.text for part in expected)
