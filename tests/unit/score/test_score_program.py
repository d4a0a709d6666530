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
from nearfirst.common.parquet import INSTANCES, read_table, write_table
from nearfirst.generate.table import ANSWERS, GENERATIONS, read_answers
from nearfirst.score import answers, tokenizers
from nearfirst.score.settings import ScoreSettings

Program = Callable[..., subprocess.CompletedProcess[str]]
TALK = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
Answer = tuple[int | None, str | None, str | None]


def instances(path: Path, references: dict[str, Any]) -> Path:
    columns = {
        "id": list(references),
        "task": ["t"] * len(references),
        "messages": [TALK] * len(references),
        "references": list(references.values()),
    }
    write_table(pa.table(columns, schema=INSTANCES), path)
    return path


def generations(path: Path, rows: list[Answer], left_out: int | None = None) -> Path:
    steps, ids, texts = zip(*rows, strict=True)
    columns = {
        "step": steps,
        "id": ids,
        "task": ["t"] * len(rows),
        "prediction": texts,
        "tokens": [1] * len(rows),
        "finished": [True] * len(rows),
    }
    metadata = {} if left_out is None else {"left_out": str(left_out)}
    write_table(pa.table(columns, schema=GENERATIONS), path, metadata)
    return path


@pytest.fixture
def run(tmp_path: Path, program: Program) -> Callable[..., tuple[Any, str]]:
    """Score answers; return what the program did and its log."""

    def score(
        references: dict[str, Any], rows: list[Answer], *more: object, left_out: int | None = None
    ) -> tuple[Any, str]:
        log = tmp_path / "score.log"
        done = program(
            *("score.py", "--log", log, "--output", tmp_path / "scores.parquet"),
            *("--instances", instances(tmp_path / "test.parquet", references)),
            *("--generations", generations(tmp_path / "answers.parquet", rows, left_out)),
            *more,
        )
        return done, log.read_text()

    return score


def refusal(read: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(InputError) as caught:
        read(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def joined(tmp_path: Path, references: dict[str, Any], rows: list[Answer]) -> Any:
    there = instances(tmp_path / "test.parquet", references)
    given = generations(tmp_path / "answers.parquet", rows)
    return answers.references_of(read_answers(given), given, read_table(there, INSTANCES), there)


def test_the_program_writes_a_row_an_answer(tmp_path: Path, run: Any) -> None:
    references = {
        "x": ["the cat sat on the mat"],
        "y": ["No", " ", None],
        "lost": ["", None, "\u200b"],
        "unanswered": ["yes"],
    }
    rows = [
        *((10, "y", "no!"), (10, "x", "the mat the cat"), (10, "lost", "a")),
        *((0, "x", "the cat is on the mat"), (0, "y", " "), (0, "lost", "b")),
    ]
    done, log = run(references, rows, left_out=2)
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "scores.parquet")
    scores = [pa.field(name, pa.float32()) for name in ("rouge1", "rougeL", "exact_match")]
    assert table.schema.remove_metadata() == pa.schema(
        [("step", pa.int32()), ("id", pa.string()), ("task", pa.string()), *scores]
    )
    frame = table.to_pandas()
    assert list(zip(frame["step"], frame["id"], strict=True)) == [
        *((10, "y"), (10, "x"), (0, "x"), (0, "y"))
    ]
    assert set(frame["task"]) == {"t"}
    assert frame["rouge1"].tolist() == pytest.approx([1, 0.8, 5 / 6, 0])
    assert frame["rougeL"].tolist() == pytest.approx([1, 0.4, 5 / 6, 0])
    assert frame["exact_match"].tolist() == [1, 0, 0, 0]
    # Two that were never answered, and the one that none can be compared with.
    assert table.schema.metadata[b"left_out"] == b"3"
    assert "1 of 3 instances left out" in log
    assert "id 'lost'" in log
    steps = [line.split(maxsplit=1)[1] for line in log.splitlines() if " step " in line]
    assert steps == [
        "step 0: ROUGE-1 41.67, ROUGE-L 41.67, Exact Match 0.00 (2 answers, 1 empty)",
        "step 10: ROUGE-1 90.00, ROUGE-L 70.00, Exact Match 50.00 (2 answers, 0 empty)",
    ]


def test_settings_reach_the_scores(tmp_path: Path, run: Any) -> None:
    settings = '{"rouge":"paper","beta":1.2,"references":"mean","stemming":false}'
    references = {"x": ["the cat sat on the mat", "dogs"]}
    done, log = run(references, [(0, "x", "the mat the cat")], "--settings", settings)
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "scores.parquet").to_pylist()
    # Against the second reference all is 0, so the mean is half of the first (test_scores).
    assert table[0]["rouge1"] == pytest.approx(1 / 3)
    assert table[0]["rougeL"] == pytest.approx(61 / 316)
    assert "WARNING" not in log
    assert pq.read_schema(tmp_path / "scores.parquet").metadata[b"left_out"] == b"0"


def test_other_scripts_need_subwords(tmp_path: Path, run: Any, model_folder: Path) -> None:
    references, rows = {"ru": ["кошка"], "en": ["cat"]}, [(0, "ru", "кошка"), (0, "en", "cat")]
    for more, rouge in (
        ([], [0, 1]),
        (["--settings", '{"tokenizer":"model"}', "--model", model_folder], [1, 1]),
    ):
        done, log = run(references, rows, *more)
        assert done.returncode == 0, done.stderr
        table = pq.read_table(tmp_path / "scores.parquet").to_pydict()
        assert table["rouge1"] == table["rougeL"] == rouge
        assert table["exact_match"] == [1, 1]
        assert ("id 'ru'" in log) == (not more)


def test_a_folder_names_a_tokenizer(model_folder: Path) -> None:
    model = tokenizers.from_settings(ScoreSettings(tokenizer="model"), str(model_folder))
    named = tokenizers.from_settings(ScoreSettings(tokenizer=str(model_folder)), "another")
    assert named.tokenize("the кот") == model.tokenize("the кот") != ["the", "кот"]


def test_one_line_on_failure(tmp_path: Path, run: Any) -> None:
    done, log = run({"x": ["a"]}, [(0, "x", "a")], "--settings", '{"tokenizer":"model"}')
    assert done.returncode == 1
    assert done.stderr == (
        "error: scores.tokenizer: model needs --model, the folder of the base model\n"
    )
    assert done.stderr in log
    assert not (tmp_path / "scores.parquet").exists()


def test_a_tokenizer_that_is_not_there(tmp_path: Path) -> None:
    # A folder, but without a tokenizer in it.
    settings = ScoreSettings(tokenizer=str(tmp_path))
    message = refusal(tokenizers.from_settings, settings)
    assert message.startswith(f"scores.tokenizer: '{tmp_path}' cannot be loaded")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((20, "x", None), "row 1 (step 20, id 'x') has no prediction; generate again"),
        ((None, "x", "a"), "row 1 (step None, id 'x') has no step; generate again"),
        ((20, None, "a"), "row 1 (step 20, id 'None') has no id; generate again"),
        ((10, "x", "b"), "step 10, id 'x' stands in 2 rows; generate again"),
    ],
)
def test_unusable_answers(tmp_path: Path, row: Answer, message: str) -> None:
    path = generations(tmp_path / "answers.parquet", [(10, "x", "a"), row])
    assert refusal(read_answers, path) == f"{path}: {message}"


def test_an_answer_to_another_instance(tmp_path: Path) -> None:
    rows: list[Answer] = [(0, "x", "a"), (0, "z", "b"), (10, "z", "b"), (0, "w", "c")]
    message = refusal(joined, tmp_path, {"x": ["a"]}, rows)
    assert message.startswith(
        f"{tmp_path}/answers.parquet: 2 ids are not in {tmp_path}/test.parquet, the first is 'z'; "
    )


def test_an_instance_of_another_task(tmp_path: Path) -> None:
    path = instances(tmp_path / "test.parquet", {"x": ["a"]})
    columns = {"step": [0, 10], "id": ["x"] * 2, "task": ["other", "t"], "prediction": ["a"] * 2}
    table = pa.table(columns)
    given = tmp_path / "answers.parquet"
    message = refusal(answers.references_of, table, given, read_table(path, INSTANCES), path)
    assert message.startswith(f"{given}: id 'x' is of task 'other', but in {path} of 't'; ")


@pytest.mark.parametrize("references", [[], None, [" "], [None, ""]])
def test_no_reference_at_all(tmp_path: Path, references: Any) -> None:
    message = refusal(joined, tmp_path, {"x": references}, [(0, "x", "a")])
    assert message.startswith(f"{tmp_path}/test.parquet: no instance has a reference with text; ")


def test_answers_of_other_programs_need_four_columns(tmp_path: Path) -> None:
    path = tmp_path / "answers.parquet"
    columns = {"step": [0], "id": ["x"], "task": ["t"], "prediction": ["a"]}
    write_table(pa.table(columns, schema=ANSWERS), path)
    assert read_answers(path).to_pydict() == columns
    write_table(pa.table({"step": pa.array([0], pa.int32())}), path)
    assert "column 'id' is missing" in refusal(read_answers, path)


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ({"a": ("cat",), "b": ("1 + 1",)}, None),
        ({"a": ("cat",), "b": ("café",)}, "all of the references of 1 of 2 instances (the first"),
        ({"a": ("cat",), "b": ("猫", "?")}, "of 1 of 2 instances, so that their ROUGE is 0"),
        ({"a": ("猫", "cat"), "b": ("кот",)}, "id 'b'); it sees only the letters a to z"),
        ({"a": (), "b": ("ABC",)}, None),
    ],
)
def test_text_that_words_do_not_see(
    caplog: pytest.LogCaptureFixture, references: Any, expected: str | None
) -> None:
    settings = ScoreSettings()
    with caplog.at_level(logging.WARNING):
        answers.warn_of_unseen_text(references, tokenizers.words(True), settings)
    assert len(caplog.messages) == (expected is not None)
    for message in caplog.messages:
        assert expected in message
        assert message.endswith("; set it to model to compare subwords")
