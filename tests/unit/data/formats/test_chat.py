"""Data of the user's own: every form of file and of row, and what is wrong with them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conversations import refusal, texts

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import is_trained
from nearfirst.data.formats import chat
from nearfirst.data.inventory import take_inventory
from nearfirst.data.readers import json_rows
from nearfirst.data.readers import parquet as parquet_reader
from nearfirst.data.registry import FORMATS, files_read
from nearfirst.data.sample import sample, table_row

Row = dict[str, Any]
TALK = [{"role": "user", "content": "Où?"}, {"role": "assistant", "content": "Là."}]
ASKED = [("user", "Où?"), ("assistant", "Là.")]
SETTINGS = chat.Settings(path="pool")


def lines(path: Path, *rows: Row) -> Path:
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def parquet(path: Path, *rows: Row) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def array(path: Path, *rows: Row) -> Path:
    path.write_text(json.dumps(list(rows)), encoding="utf-8")
    return path


WRITERS = {"pool.jsonl": lines, "pool.parquet": parquet, "pool.json": array}


FORMS: list[tuple[Row, list[tuple[str, str]]]] = [
    ({"messages": TALK}, ASKED),
    (
        {"messages": [{"role": "system", "content": "In French."}, *TALK]},
        [("user", "In French.\n\nOù?"), ASKED[1]],
    ),
    ({"messages": [*TALK, *TALK]}, ASKED * 2),
    (
        {"conversations": [{"from": "human", "value": "Où?"}, {"from": "gpt", "value": "Là."}]},
        ASKED,
    ),
    ({"prompt": "Où?", "completion": "Là."}, ASKED),
    ({"prompt": TALK[:1], "completion": TALK[1:]}, ASKED),
    ({"prompt": [*TALK, *TALK[:1]], "completion": "Là."}, ASKED * 2),
    ({"conversations": TALK}, ASKED),
    (
        {"instruction": "Translate.", "input": "there", "output": "là"},
        [("user", "Translate.\n\nthere"), ("assistant", "là")],
    ),
    (
        {"instruction": "Smile.", "input": "", "output": ":)"},
        [("user", "Smile."), ("assistant", ":)")],
    ),
    ({"prompt": "x", "completion": "y", "messages": TALK}, ASKED),
]


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize(("row", "expected"), FORMS)
def test_every_form_in_every_kind_of_file(
    tmp_path: Path, file: str, row: Row, expected: list[tuple[str, str]]
) -> None:
    row = {**row, "weight": 0.5, "tags": ["a"]}
    path = WRITERS[file](tmp_path / file, row, row)
    found = list(chat.read(SETTINGS, path))
    assert [texts(instance) for instance in found] == [expected] * 2
    assert [(i.id, i.task, i.source, i.references) for i in found] == [
        ("mine_1", "mine", "", ()),
        ("mine_2", "mine", "", ()),
    ]
    # Further columns and the system turn are kept.
    assert [i.row for i in found] == [row, row]


def turn(role: str, content: str | None, **more: Any) -> Row:
    return {"role": role, "content": content, **more}


Q, R = turn("user", "q"), turn("user", "r")


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize(
    ("row", "contents", "trained", "unused"),
    [
        # What is trained on.
        (
            {"prompt": [Q, turn("assistant", "a"), R], "completion": [turn("assistant", "b")]},
            ["q", "a", "r", "b"],
            [False, True],
            [],
        ),
        (
            {
                "messages": [
                    Q,
                    turn("assistant", "a", weight=0),
                    R,
                    turn("assistant", "b", weight=1),
                ]
            },
            ["q", "a", "r", "b"],
            [False, True],
            [],
        ),
        (
            {
                "messages": [
                    Q,
                    turn("assistant", "a", trainable=True),
                    R,
                    turn("Assistant", "b", train_on_turn=False),
                ]
            },
            ["q", "a", "r", "b"],
            [True, False],
            [],
        ),
        (
            {"messages": [turn("user", "q", masked=True), turn("assistant", "a", masked=False)]},
            ["q", "a"],
            [True],
            [],
        ),
        (
            {"messages": [turn("user", "q", loss=1.0), turn("assistant", "a", loss=None)]},
            ["q", "a"],
            [True],
            ["key 'loss' of turns that are not the assistant's"],
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "q", "weight": None},
                    {"from": "gpt", "value": "a", "weight": 0.0},
                    {"from": "human", "value": "r", "weight": None},
                    {"from": "gpt", "value": "b", "weight": 1.0},
                ]
            },
            ["q", "a", "r", "b"],
            [False, True],
            [],
        ),
        # Columns that belong to a conversation.
        (
            {
                "instruction": "r",
                "input": "s",
                "output": "b",
                "system": "S",
                "history": [["q", "a"]],
            },
            ["S\n\nq", "a", "r\n\ns", "b"],
            [False, True],
            [],
        ),
        (
            {"messages": [turn("system", "S"), Q, turn("assistant", "a")], "system": "S"},
            ["S\n\nq", "a"],
            [True],
            [],
        ),
        # Turns of one speaker in a row, and other names of speakers.
        (
            {
                "messages": [
                    turn("developer", "S"),
                    Q,
                    turn("system", "T"),
                    R,
                    turn("model", "a"),
                    turn("assistant", ""),
                    turn("assistant", "b"),
                ]
            },
            ["S\n\nq\n\nT\n\nr", "a\n\nb"],
            [True],
            [],
        ),
        (
            {
                "messages": [
                    turn("user", [{"type": "text", "text": "q"}]),
                    turn("assistant", [{"type": "text", "text": "a"}]),
                ]
            },
            ["q", "a"],
            [True],
            [],
        ),
        # What nothing reads.
        (
            {
                "messages": [Q, turn("assistant", "a", reasoning_content="So.", tool_calls=None)],
                "tools": [{"name": "f"}],
                "images": ["0.png"],
                "meta": {"a": None},
                "chosen": "c",
            },
            ["q", "a"],
            [True],
            [
                "column 'tools'",
                "column 'images'",
                "column 'chosen'",
                "key 'reasoning_content' of turns",
            ],
        ),
        (
            {"messages": [Q, turn("assistant", "a")], "history": [["q", "a"]]},
            ["q", "a"],
            [True],
            ["column 'history'"],
        ),
    ],
)
def test_what_is_used_of_a_row_and_what_is_not(
    tmp_path: Path,
    file: str,
    row: Row,
    contents: list[str],
    trained: list[bool],
    unused: list[str],
) -> None:
    (found,) = chat.read(SETTINGS, WRITERS[file](tmp_path / file, row))
    assert (found.fault, found.dropped) == ("", 0)
    assert [message["content"] for message in found.messages] == contents
    assert [is_trained(message) for message in found.messages[1::2]] == trained
    assert found.unused == unused
    (answer,) = table_row(found, keep_row=False)["references"]  # type: ignore[misc]
    assert answer == contents[2 * trained.index(True) + 1]


def test_turns_at_the_end_without_an_answer_are_counted(tmp_path: Path) -> None:
    tails = ([R], [R, turn("assistant", None)], [turn("system", "S")], [R, R, turn("system", "S")])
    path = lines(tmp_path / "pool.jsonl", *({"messages": [*TALK, *tail]} for tail in tails))
    found = list(chat.read(SETTINGS, path))
    assert [(texts(instance), instance.dropped) for instance in found] == [
        (ASKED, dropped) for dropped in (1, 2, 1, 2)
    ]


def test_what_lies_beside_a_list_of_rows_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = {"système": "S", "data": JSON_ROWS, "dev": JSON_ROWS}
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(content, ensure_ascii=False))
    assert len(list(chat.read(SETTINGS, path))) == len(JSON_ROWS)
    assert f"{path}: beside its list of rows, not read: système, dev" in caplog.messages


def test_a_key_that_comes_twice_is_named_once_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pool.json"
    row = '{"prompt": "p", "prompt": "q", "completion": "a"}'
    path.write_text(f"[{row}, {row}, {row}]")
    assert texts(next(chat.read(SETTINGS, path)))[0] == ("user", "q")
    list(chat.read(SETTINGS, path))
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith(f"{path}: row 1: 'prompt' comes twice in an object")


def test_columns_that_parquet_hides_are_named(tmp_path: Path) -> None:
    columns = [("prompt", "p"), ("prompt", "q"), ("completion", "a"), ("image", b"\xff")]
    names, values = zip(*columns, strict=True)
    table = pa.table([pa.array([value]) for value in values], names=names)
    pq.write_table(table, tmp_path / "pool.parquet")
    (found,) = chat.read(SETTINGS, tmp_path / "pool.parquet")
    assert texts(found) == [("user", "q"), ("assistant", "a")]
    assert found.unused == ["column 'image' of bytes", "all but the last column 'prompt'"]


def test_what_else_a_row_may_say(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"id": "a", "kind": "where", "source": "book", "references": ["Là.", "Ici."]},
        {"id": "a", "kind": "where", "references": "Ici."},
        {"id": 7.0, "kind": 3, "source": None, "references": None},
        {"id": None, "kind": "x", "notes": [1]},
    ]
    path = lines(tmp_path / "pool.jsonl", *({"messages": TALK, **row} for row in rows))
    found = list(chat.read(chat.Settings(path="pool", task_column="kind"), path))
    assert [(i.id, i.task, i.source, i.references) for i in found] == [
        ("a", "where", "book", ("Là.", "Ici.")),
        ("a#2", "where", "", ("Ici.",)),
        ("7", "3", "", ()),
        ("mine_4", "x", "", ()),
    ]


def test_a_test_file_may_lack_the_column_of_tasks(tmp_path: Path) -> None:
    path = lines(tmp_path / "test.jsonl", {"messages": TALK})
    (found,) = chat.read_test(chat.Settings(path="pool", task_column="kind"), path)
    assert (found.id, found.task) == ("mine_test_1", "mine")


def test_queries_are_a_split_of_their_own_beside_any_test_set(tmp_path: Path) -> None:
    rows = [{"prompt": f"{i}?", "completion": "Là.", "kind": f"k{i % 3}"} for i in range(9)]
    pool, queries = lines(tmp_path / "p.jsonl", *rows), lines(tmp_path / "q.jsonl", rows[0])
    settings = chat.Settings(path=str(pool), query_path=str(queries), task_column="kind")
    assert (settings.test, settings.arranged_for) == ("specialist-0", "query")
    (found,) = sample(settings, pool, "query", test_path=queries)
    assert (found.id, found.task) == ("mine_query_1", "k0")
    with pytest.raises(InputError, match="--split query: expected train"):
        list(sample(settings, pool, "query"))


@pytest.mark.parametrize("test", ["data/sub/test.jsonl", "data/sub", "link/sub/test.jsonl"])
def test_a_set_in_another_ones_folder_is_no_part_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/sub").mkdir(parents=True)
    Path("link").symlink_to("data")
    for name in ("pool", "query", "sub/test"):
        lines(Path(f"data/{name}.jsonl"), {"prompt": name, "completion": "a"})
    settings = chat.Settings(path="data", test_path=test, query_path="data/query.jsonl")
    # What the program gets is enough.
    read = FORMATS.parse(settings.sampling("train"), path="data")
    (found,) = sample(read, Path("data"), "train", holds_out="nothing")
    assert texts(found)[0] == ("user", "pool")
    assert files_read(settings, Path("data")) == [Path("data/pool.jsonl")]
    assert [texts(i)[0][1] for i in chat.read_test(settings, Path(test))] == ["sub/test"]
    # The pool may lie in the folder of the test set just as well.
    turned = chat.Settings(path="data/pool.jsonl", test_path="data", query_path=test)
    assert files_read(turned, Path("data")) == [Path("data/query.jsonl")]
    Path("data/pool.jsonl").unlink()
    with pytest.raises(InputError, match="data: the folder holds nothing but test_path and query"):
        chat.files(settings, Path("data"))


def test_a_folder_is_read_by_name_and_numbered_through(tmp_path: Path) -> None:
    parquet(tmp_path / "b.parquet", {"prompt": "Où?", "completion": "Là."})
    lines(tmp_path / "a.jsonl", {"messages": TALK}, {"messages": TALK})
    array(tmp_path / "dataset_info.json", {"no": "data"})
    (tmp_path / "notes.txt").write_text("No data.")
    found = list(chat.read(SETTINGS, tmp_path))
    assert [i.id for i in found] == ["mine_1", "mine_2", "mine_3"]
    assert [Path(i.where.partition(":")[0]).name for i in found] == ["a.jsonl"] * 2 + ["b.parquet"]
    # The rules look for a change in the same files.
    assert files_read(SETTINGS, tmp_path) == [tmp_path / "a.jsonl", tmp_path / "b.parquet"]


def test_compressed_lines_and_a_byte_order_mark_and_blank_lines(tmp_path: Path) -> None:
    text = f"\ufeff{json.dumps({'messages': TALK})}\r\n\n  \n{json.dumps({'messages': TALK})}"
    data = text.encode()
    (tmp_path / "a.jsonl").write_bytes(data)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(data))
    with pa.output_stream(str(tmp_path / "c.jsonl.zst")) as stream:  # compresses by the name
        stream.write(data)
    found = list(chat.read(SETTINGS, tmp_path))
    assert [texts(i) for i in found] == [ASKED] * 6
    assert [i.where.rpartition(": ")[2] for i in found] == ["line 1", "line 4"] * 3


JSON_ROWS: list[Row] = [
    {"prompt": f"q {i} é 🐈", "completion": 'a\\n"b"', "n": i / 7} for i in range(9)
]
# What lies between two rows may lie in one, and the first keys may differ.
JSON_ROWS[3] |= {"n": [{"prompt": 1}, {"prompt": "é"}, {"prompt": '}, {"prompt": 2}\n'}]}
JSON_ROWS[5:7] = [{"n": "é", **row} for row in JSON_ROWS[5:7]]
ROW_LINES = "\n".join(map(json.dumps, JSON_ROWS))


@pytest.mark.parametrize("chunk", [40, 2**20])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.json", ("\ufeff" + json.dumps(JSON_ROWS)).encode()),
        ("utf16.json", json.dumps(JSON_ROWS, ensure_ascii=False).encode("utf-16")),
        ("utf32.jsonl", ROW_LINES.encode("utf-32")),
        ("lines.json", ROW_LINES.encode()),
        ("joined.jsonl", "\n\ufeff".join(["", *ROW_LINES.splitlines(), ""]).encode()),
        ("joined16.jsonl", b"".join(f"{x}\n".encode("utf-16") for x in ROW_LINES.splitlines())),
        ("utf8.jsonl", "\n".join(json.dumps(r, ensure_ascii=False) for r in JSON_ROWS).encode()),
        ("array.jsonl", json.dumps(JSON_ROWS, ensure_ascii=False, indent=2).encode()),
        ("pretty.jsonl", "\n".join(json.dumps(r, indent=1) for r in JSON_ROWS).encode()),
        ("comma.json", json.dumps(JSON_ROWS).encode()[:-1] + b" ,\n]\n"),
        ("data.json", json.dumps({"version": 1, "data": JSON_ROWS, "n": [2]}).encode()),
        ("A.JSONL.GZ", gzip.compress(ROW_LINES.encode())),
        ("padded.json.gz", gzip.compress(json.dumps(JSON_ROWS).encode()) + b"\0" * 600),
        ("members.jsonl.gz", b"".join(gzip.compress(x.encode()) for x in (ROW_LINES, "\n\n"))),
        ("plain.json.gz", json.dumps(JSON_ROWS).encode()),
    ],
)
def test_what_is_meant_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, chunk: int
) -> None:
    monkeypatch.setattr(json_rows, "CHUNK", chunk)
    (tmp_path / name).write_bytes(content)
    found = list(chat.read(SETTINGS, tmp_path / name))
    assert [i.row for i in found] == JSON_ROWS


def test_all_files_of_a_folder_are_read_or_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/loop").symlink_to(tmp_path)
    for name in ("a.json", "b.NDJSON", "sub/c.jsonl", "._a.json", ".d.jsonl"):
        array(tmp_path / name, {"messages": TALK})
    array(tmp_path / "license.jsonl", {"messages": TALK})
    array(tmp_path / "config.json", {"no": "data"})
    (tmp_path / "e.csv").write_text("no data")
    (tmp_path / "sub/f.parquet").write_text("no data")
    found = list(chat.read(SETTINGS, tmp_path))
    assert [Path(i.where.rpartition(": ")[0]).name for i in found] == [
        "a.json",
        "b.NDJSON",
        "license.jsonl",
        "c.jsonl",
    ]
    for name in ("config.json", "e.csv", "f.parquet"):
        assert sum(name in record.getMessage() for record in caplog.records) == 1


def test_files_are_read_as_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lines(tmp_path / "pool.jsonl", {"messages": TALK})
    with path.open("a") as file:
        file.write("{broken")
    assert next(chat.read(SETTINGS, path)).id == "mine_1"
    monkeypatch.setattr(parquet_reader, "BATCH", 2)
    path = parquet(tmp_path / "pool.parquet", *[{"messages": TALK, "image": b"\xff"}] * 5)
    found = list(chat.read(SETTINGS, path))
    assert found[-1].where == f"{path}: row 5"
    assert found[-1].row == {"messages": TALK}  # bytes are no JSON


# What is wrong ---------------------------------------------------------------------------------

GOOD = '{"prompt": "q", "completion": "a"}\n'
USER, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}


def refused(path: Path, task_column: str | None = None) -> str:
    settings = chat.Settings(path="pool", task_column=task_column)
    return refusal(lambda: chat.read(settings, path))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "{}: the file is empty"),
        (b"\n \n", "{}: the file has no rows"),
        (GOOD.encode() * 2 + b'{"prompt": "q"', "{}: line 3: cut off at the end"),
        (GOOD.encode() + b'{"prompt": "q",}\n', "{}: line 2: not JSON (Expecting property name"),
        (GOOD.encode() + b'{"prompt": q}\n' + GOOD.encode(), "{}: line 2: not JSON ("),
        (GOOD.encode() + b"[1]\n", "{}: line 2: expected an object, found list"),
        (b"[\n{}\n]", "{}: columns of no known form: none"),
        (GOOD.encode() + b'{"prompt": "caf\xe9"}', "{}: line 2: not UTF-8 ("),
        (GOOD.encode("utf-16")[:-1] + b"\xd8\x01", "{}: line 1: not UTF-16 ("),
        (b'{"prompt": "\\ud83d", "completion": "a"}', "{}: line 1: \\u… escapes that are no char"),
        (
            GOOD.encode() + b"\x1a",
            "{}: line 2: not JSON (Expecting value, at its character 1: '\\x1a')",
        ),
        (b'{"data": {"train": [' + GOOD.encode() + b"]}}", "form: data; the forms are: messages;"),
        (b'{"data": {"train": [' + GOOD.encode() + b"]}}", "write them alone, as a list or a line"),
        (b"[" * 100_000 + b"\n", "{}: row 1: lists or objects nested too deep"),
        (b'{"a":' * 100_000 + b"\n", "{}: line 1: lists or objects nested too deep"),
        (b"1" * 5000, "{}: line 1: not JSON that can be read: a number of more than 4300 digits"),
        (b'{"data": [' + GOOD.encode() + b'], "train": [{}]}', "a second list of rows, 'train'"),
        (b"\x1f\x8b\x09 no gzip", "{}: line 1: damaged gzip ("),
        (b"PK no zip", "{}: no whole zip ("),
        (b"{}\n", "{}: columns of no known form: none; the forms are: messages; conversations; "),
        (b'{"text": "t", "n": 1}\n', "{}: columns of no known form: text, n; the forms are: "),
        (
            GOOD.encode() + b'{"prompt": "q"}\n',
            "{}: line 2 (id 'mine_2'): column 'completion'",
        ),
        (b'{"prompt": "q"}\n', "{}: prompts without answers, and a loss needs an answer; found"),
        (b'{"instruction": "q"}\n', "; found instruction; add a column 'output'"),
        (b'{"prompt": "q", "chosen": "a", "rejected": "b"}\n', "rename 'chosen' to 'completion'"),
    ],
)
def test_lines_that_cannot_be_used(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(content)
    assert named.format(path) in refused(path)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"messages": "q"}, "'messages' is str, not a list of turns"),
        ({"messages": ["q"]}, "a turn of 'messages' must have 'role' and 'content'; found str"),
        ({"messages": [{"role": "user", "text": "q"}]}, "and 'content'; found role, text"),
        ({"messages": [USER, {"role": "tool", "content": "3"}]}, "no assistant turn, and a loss"),
        ({"messages": [{**USER, "role": "tool"}, ANSWER]}, "begins with the turn of a tool"),
        ({"messages": [{**USER, "role": "critic"}, ANSWER]}, "a turn is from 'critic'; expected"),
        ({"messages": [{"role": "user", "content": [{"image": "q"}]}]}, "parts that are not text"),
        ({"messages": [{"role": "user", "content": 3}]}, "a turn's content is int, not text"),
        ({"conversations": [{"from": "bing", "value": "q"}]}, "a turn is from 'bing'"),
        ({"prompt": 3, "completion": "a"}, "'prompt' is int, not text"),
        ({"instruction": "q", "input": ["x"], "output": "a"}, "'input' is list, not text"),
        ({"messages": [USER, ANSWER], "id": 2.5}, "'id' is 2.5; write a text or a whole number"),
        ({"messages": [USER, ANSWER], "id": [1]}, "'id' is list, not a name or a number"),
        ({"messages": [USER, ANSWER], "references": [1]}, "'references' must be an answer or a"),
        ({"messages": [USER, ANSWER], "task": None}, "column 'task' is empty"),
        ({"messages": [USER]}, "(id 'mine_2'): no assistant turn, and a loss needs an answer"),
        ({"messages": None}, "(id 'mine_2'): no user turn"),
        ({"prompt": "q", "completion": " "}, "no assistant turn, and a loss needs an answer"),
        ({"messages": [ANSWER, USER, ANSWER]}, "begins with the assistant"),
        ({"messages": [USER, {**ANSWER, "content": None}, USER, ANSWER]}, "the last answer is"),
        ({"messages": [USER, {**ANSWER, "tool_calls": [{"id": 1}]}]}, "has 'tool_calls': calls"),
        ({"messages": [USER, {"role": "assistant", "function_call": {"name": "f"}}]}, "calls of"),
        ({"messages": [USER, {**ANSWER, "weight": 0}]}, "no turn is trained on"),
        ({"messages": [USER, {**ANSWER, "weight": 0.5}]}, "'weight' is 0.5, and only 0 and 1"),
        ({"messages": [USER, {**ANSWER, "loss_mask": 0}]}, "'loss_mask', which may say whether it"),
        (
            {"messages": [USER, {**ANSWER, "ignore": True}]},
            "call it 'train' if 1 means that it is,",
        ),
        ({"messages": [{**USER, "content": [{"type": "text", "text": 3}]}, ANSWER]}, "not text"),
        ({"messages": [USER, {**ANSWER, "train": False}, ANSWER]}, "in a row one is trained on"),
        ({"prompt": [USER, ANSWER], "completion": "b"}, "the prompt ends in the assistant's turn"),
        ({"instruction": "q", "output": "a", "history": [["q"]]}, "'history' must hold pairs"),
        ({"instruction": "q", "output": "a", "system": ["s"]}, "'system' is list, not text"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, row: Row, named: str) -> None:
    good: Row = {"task": "t", **{key: "q" for key in row if key not in ("id", "task")}}
    turns = {
        "messages": [USER, ANSWER],
        "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}],
        "history": [],
    }
    good |= {key: value for key, value in turns.items() if key in row}
    path = lines(tmp_path / "pool.jsonl", good, {"task": "t", **row})
    message = refused(path, "task")
    assert message.startswith(f"{path}: line 2")
    assert named in message
    settings = chat.Settings(path="pool", task_column="task")
    assert list(take_inventory(chat.read(settings, path), skip_unusable=True).rows) == ["t"]


@pytest.mark.parametrize("name", WRITERS)
def test_columns_are_called_what_they_are_mapped_to(tmp_path: Path, name: str) -> None:
    columns = {"question": "prompt", "answer": "response", "key": "id"}
    settings = chat.Settings(path="pool", columns=columns, task_column="question")
    row = {"question": "q", "answer": "a", "key": "k"}
    path = WRITERS[name](tmp_path / name, row)
    (found,) = chat.read(settings, path)
    assert (texts(found), found.id, found.task) == ([("user", "q"), ("assistant", "a")], "k", "q")
    assert found.row == row
    # A test set may have the names already, but not a pool.
    named = WRITERS[name](tmp_path / f"named_{name}", {"prompt": "q", "completion": "a"})
    assert [texts(its) for its in chat.read_test(settings, named)] == [texts(found)]
    assert "no column 'question', which columns maps to 'prompt'; found prompt" in refusal(
        lambda: chat.read(settings, named)
    )
    near = WRITERS[name](tmp_path / f"near_{name}", {"questions": "q", "answer": "a", "key": "k"})
    message = refusal(lambda: chat.read_test(settings, near))
    assert message.endswith("found questions, answer, key; did you mean 'questions'?")
    twice = WRITERS[name](tmp_path / f"twice_{name}", {**row, "prompt": "p"})
    assert "has a column 'prompt' already" in refusal(lambda: chat.read(settings, twice))


def test_of_fetched_files_those_of_rows_are_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    parquet(tmp_path / "data/b.parquet", {"prompt": "1", "completion": "a"})
    array(tmp_path / "data/c.json", {"prompt": "2", "completion": "a"})
    names = ["data/c.json", "README.md", "data/b.parquet"]
    (tmp_path / "fetched.json").write_text(json.dumps({"files": {name: {} for name in names}}))
    assert [texts(its)[0][1] for its in chat.read(SETTINGS, tmp_path)] == ["1", "2"]
    (tmp_path / "fetched.json").write_text(json.dumps({"files": {"README.md": {}}}))
    assert "there are README.md; choose others by hub.files" in refused(tmp_path)


def test_files_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no such file or folder" in refused(tmp_path / "nowhere.jsonl")
    assert f"{tmp_path}: the folder holds no file in .jsonl, " in refused(tmp_path)
    (tmp_path / "pool.csv").write_text("prompt,completion\n")
    assert "pool.csv: the name ends in none of .jsonl, " in refused(tmp_path / "pool.csv")
    (tmp_path / "pool.json").write_text(GOOD)
    assert len(list(chat.read(SETTINGS, tmp_path / "pool.json"))) == 1
    path = tmp_path / "pool.jsonl.gz"
    path.write_bytes(gzip.compress((GOOD * 3).encode())[:-12])
    assert f"{path}: line 1: cut off gzip (" in refused(path)
    monkeypatch.setattr(json_rows, "LONGEST", 100)
    monkeypatch.setattr(json_rows, "CHUNK", 40)
    path = tmp_path / "pool.jsonl"
    path.write_text(GOOD + "[" + "1," * 100)
    assert "line 2: longer than 100 bytes" in refused(path)
    path.write_text("\n" * 300)
    assert "nothing but blanks in 100 bytes" in refused(path)


def test_parquet_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "pool.parquet"
    path.write_text("PAR1 and no more")
    assert f"{path}: not a whole Parquet file" in refused(path)
    pq.write_table(pa.table({"prompt": [], "completion": []}), path)
    assert refused(path) == f"{path}: the file has no rows"
    pq.write_table(pa.table({"prompt": ["q"], "completion": ["a"]}), path)
    assert f"{path}: no column 'kind', which task_column names; found prompt" in refused(
        path, "kind"
    )
    table = pa.table({"prompt": ["q", "q"], "time": pa.array([0, 2**62], pa.timestamp("us"))})
    pq.write_table(table.append_column("completion", [["a", "a"]]), path)
    assert f"{path}: row 2: a column that cannot be read (date value out of" in refused(path)
    offsets = pa.array([0, 4, 8], pa.int32()).buffers()[1]
    answers = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"fineca\xe9!"))
    pq.write_table(pa.table({"prompt": ["q", "q"], "completion": answers}), path)
    assert f"{path}: damaged after row 1 ('utf-8' codec" in refused(path)
