"""OpenAI Evals: questions with ideal answers, among files that hold something else."""

import json
from pathlib import Path
from typing import Any

import pytest
from conversations import refusal, texts

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.formats.openai_evals import Settings, read


def question(text: str, ideal: object, system: str | None = None) -> dict[str, Any]:
    turns = [{"role": "system", "content": system}] if system else []
    return {"input": [*turns, {"role": "user", "content": text}], "ideal": ideal}


def write(path: Path, *rows: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def instances(folder: Path, **settings: Any) -> list[Instance]:
    return list(read(Settings(**settings), folder))


def test_files_are_tasks_and_folders_are_sources(tmp_path: Path) -> None:
    registry = tmp_path / "evals/registry/data"
    write(registry / "sums/samples.jsonl", question("1+1?", "2"), question("2+2?", "4"))
    write(registry / "words/hard/samples.jsonl", question("a?", ["b", "c", "b"], "Be short."))
    write(registry / "games.jsonl", {"word": "house"})
    write(registry / "texts.jsonl", {"input": "Write a joke."})
    result = instances(tmp_path)
    assert [(i.id, i.task, i.source) for i in result] == [
        ("sums#1", "sums", "sums"),
        ("sums#2", "sums", "sums"),
        ("words/hard#1", "words/hard", "words"),
    ]
    assert texts(result[2]) == [("user", "Be short.\na?"), ("assistant", "b")]
    assert result[2].references == ("b", "c")
    # The path of the registry works too.
    assert [i.id for i in instances(registry)] == [i.id for i in result]


def test_the_first_rows_of_each_file(tmp_path: Path) -> None:
    for task in ("a", "b"):
        write(tmp_path / f"{task}/samples.jsonl", *(question(f"{n}?", "x") for n in range(5)))
    result = [i.id for i in instances(tmp_path, rows_per_task=2)]
    assert result == ["a#1", "a#2", "b#1", "b#2"]


@pytest.mark.parametrize("row", [question(" ", "2"), question("1+1?", ""), question("1+1?", [])])
def test_a_row_without_question_or_answer_is_not_usable(tmp_path: Path, row: object) -> None:
    write(tmp_path / "a.jsonl", question("1?", "1"), row)
    assert [bool(i.messages) for i in instances(tmp_path)] == [True, False]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"input": "text", "ideal": "2"}, "expected an object with `input`, a list, and `ideal`"),
        ({"input": [{"role": "user"}], "ideal": "2"}, "'input' holds NoneType, not text"),
        (question("1+1?", 2), "'ideal' holds int, not text"),
    ],
)
def test_a_row_of_another_form_is_named(tmp_path: Path, row: object, reason: str) -> None:
    write(tmp_path / "a.jsonl", question("1?", "1"), row)
    assert refusal(lambda: instances(tmp_path)) == f"{tmp_path}/a.jsonl: line 2: {reason}"


def test_a_folder_without_questions(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"word": "house"})
    with pytest.raises(InputError, match="no file below it holds questions"):
        instances(tmp_path)
