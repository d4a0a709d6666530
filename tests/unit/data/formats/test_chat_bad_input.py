"""What is wrong with a file of one's own is told in one line, with the file and the row."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nearfirst.common.errors import InputError
from nearfirst.data import sample
from nearfirst.data.formats import chat
from nearfirst.data.readers import chat_rows

GOOD = '{"prompt": "q", "completion": "a"}\n'
USER, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}


def refusal(path: Path, task_column: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        sample.take_inventory(
            chat.read(chat.Settings(task_column=task_column), path), skip_unusable=False
        )
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "{}: the file is empty"),
        (b"\n \n", "{}: the file has no rows"),
        (GOOD.encode() * 2 + b'{"prompt": "q"', "{}: line 3: not JSON ("),
        (GOOD.encode() + b"[1]\n", "{}: line 2: expected an object, found list; name a JSON array"),
        (b"[\n{}\n]", "{}: line 1: not JSON (Expecting value at character 3); name a JSON array"),
        (GOOD.encode() + b'{"prompt": "caf\xe9"}', "{}: line 2: not UTF-8 (byte 0xe9 at 16)"),
        (GOOD.encode("utf-16"), "{}: line 1: not UTF-8 (byte 0xff at 1); save the file as UTF-8"),
        (b'{"prompt": "\\ud83d", "completion": "a"}', "{}: line 1: \\u… escapes that are no"),
        (b"[" * 100_000 + b"\n", "{}: line 1: JSON that cannot be read"),
        (b"1" * 5000, "{}: line 1: JSON that cannot be read"),
        (b"{}\n", "{}: columns of no known form: none; the forms are: messages; conversations; "),
        (b'{"text": "t", "n": 1}\n', "{}: columns of no known form: text, n; the forms are: "),
        (GOOD.encode() + b'{"prompt": "q"}\n', "{}: line 2: column 'completion' is missing; found"),
        (b'{"prompt": "q"}\n', "{}: prompts without answers, and a loss needs an answer; found"),
        (b'{"instruction": "q"}\n', "; found instruction; add a column 'output'"),
    ],
)
def test_lines_that_cannot_be_used(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(content)
    assert named.format(path) in refusal(path)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"messages": "q"}, "'messages' is str, not a list of turns"),
        ({"messages": {"role": "user"}}, "'messages' is dict, not a list of turns"),
        ({"messages": ["q"]}, "a turn of 'messages' must have 'role' and 'content'; found str"),
        ({"messages": [{"role": "user", "text": "q"}]}, "and 'content'; found role, text"),
        ({"messages": [USER, {"role": "tool", "content": "3"}]}, "a turn is from 'tool'; expected"),
        ({"messages": [{"role": "human", "content": "q"}]}, "a turn is from 'human'; expected"),
        ({"messages": [{"role": "user", "content": [{"text": "q"}]}]}, "content is list, not text"),
        ({"conversations": [{"from": "bing", "value": "q"}]}, "a turn is from 'bing'"),
        ({"prompt": 3, "completion": "a"}, "'prompt' is int, not text"),
        ({"instruction": "q", "input": ["x"], "output": "a"}, "'input' is list, not text"),
        ({"messages": [USER, ANSWER], "id": [1]}, "'id' is list, not a name or a number"),
        ({"messages": [USER, ANSWER], "references": [1]}, "'references' must be an answer or a"),
        ({"messages": [USER, ANSWER], "task": None}, "column 'task' is empty"),
        ({"messages": [USER]}, "(no assistant turn, and a loss needs an answer) (id 'mine_2')"),
        ({"messages": [ANSWER]}, "(no user turn) (id 'mine_2'): no question with an answer"),
        ({"messages": [ANSWER, USER, ANSWER]}, "(begins with the assistant) (id 'mine_2')"),
        ({"messages": []}, "(no user turn) (id 'mine_2')"),
        ({"messages": None}, "(no user turn) (id 'mine_2')"),
        ({"prompt": "q", "completion": " "}, "(no assistant turn, and a loss needs an answer)"),
        ({"prompt": "", "completion": "a"}, "(no user turn) (id 'mine_2')"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, row: dict[str, Any], named: str) -> None:
    good: dict[str, Any] = {"task": "t", **{key: "q" for key in row if key not in ("id", "task")}}
    turns = {
        "messages": [USER, ANSWER],
        "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}],
    }
    good |= {key: value for key, value in turns.items() if key in row}
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(f"{json.dumps(r)}\n" for r in (good, {"task": "t", **row})))
    message = refusal(path, "task")
    assert message.startswith(f"{path}: line 2")
    assert named in message


def test_rows_without_an_exchange_are_left_out_and_counted_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(GOOD + '{"prompt": "q", "completion": ""}\n' + GOOD)
    found = sample.take_inventory(chat.read(chat.Settings(), path), skip_unusable=True)
    assert (found.total, found.unusable, list(found.rows["mine"])) == (3, 1, [0, 2])


def test_files_that_are_not_there_or_of_no_known_kind(tmp_path: Path) -> None:
    assert "no such file or folder" in refusal(tmp_path / "nowhere.jsonl")
    assert f"{tmp_path}: the folder holds no file in .jsonl, " in refusal(tmp_path)
    (tmp_path / "pool.csv").write_text("prompt,completion\n")
    assert "pool.csv: the name ends in none of .jsonl, " in refusal(tmp_path / "pool.csv")
    (tmp_path / "pool.json").write_text(GOOD)
    assert "pool.json: no JSON array" in refusal(tmp_path / "pool.json")


def test_damaged_compressed_lines(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl.gz"
    path.write_bytes(gzip.compress((GOOD * 3).encode())[:-12])
    assert f"{path}: damaged after line " in refusal(path)
    path.write_text(GOOD)
    assert f"{path}: damaged after line 0" in refusal(path)


def test_a_line_without_end_is_not_taken_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_rows, "_LONGEST", 100)
    path = tmp_path / "pool.jsonl"
    path.write_text(GOOD + "[" + "1," * 100)
    assert "line 2: longer than 100 bytes" in refusal(path)


def test_parquet_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "pool.parquet"
    path.write_text("PAR1 and no more")
    assert f"{path}: not a whole Parquet file" in refusal(path)
    pq.write_table(pa.table({"prompt": [], "completion": []}), path)
    assert refusal(path) == f"{path}: the file has no rows"
    pq.write_table(pa.table({"text": ["t"]}), path)
    assert f"{path}: columns of no known form: text; " in refusal(path)
    pq.write_table(pa.table({"prompt": ["q"], "completion": ["a"]}), path)
    assert f"{path}: no column 'kind', which task_column names; found prompt" in refusal(
        path, "kind"
    )


def test_bytes_in_parquet_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "pool.parquet"
    offsets = pa.array([0, 4, 8], pa.int32()).buffers()[1]
    answers = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"fineca\xe9!"))
    pq.write_table(pa.table({"prompt": ["q", "q"], "completion": answers}), path)
    assert f"{path}: row 2: not UTF-8 (byte 0xe9)" in refusal(path)
