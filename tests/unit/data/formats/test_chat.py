"""The user's own data: every kind of file and form of row, and what is wrong with them."""

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
EXCHANGE = [("user", "Où?"), ("assistant", "Là.")]
NAMES = {"role": "from", "content": "value"}
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
in_every_file = pytest.mark.parametrize("file", WRITERS)


FORMS: list[tuple[Row, list[tuple[str, str]]]] = [
    ({"messages": TALK}, EXCHANGE),
    (
        {"messages": [{"role": "system", "content": "In French."}, *TALK]},
        [("user", "In French.\n\nOù?"), EXCHANGE[1]],
    ),
    ({"messages": [*TALK, *TALK]}, EXCHANGE * 2),
    ({"conversations": [{NAMES[key]: turn[key] for key in turn} for turn in TALK]}, EXCHANGE),
    ({"prompt": "Où?", "completion": "Là."}, EXCHANGE),
    ({"prompt": TALK[:1], "completion": TALK[1:]}, EXCHANGE),
    ({"prompt": [*TALK, *TALK[:1]], "completion": "Là."}, EXCHANGE * 2),
    ({"conversations": TALK}, EXCHANGE),
    ({"conversations": ["Où?", "Là.", "Où?", "Là."]}, EXCHANGE * 2),
    ({"messages": [{**TALK[0], "role": "prompter"}, TALK[1]]}, EXCHANGE),
    (
        {"instruction": "Translate.", "input": "there", "output": "là"},
        [("user", "Translate.\n\nthere"), ("assistant", "là")],
    ),
    (
        {"instruction": "Smile.", "input": "", "output": ":)"},
        [("user", "Smile."), ("assistant", ":)")],
    ),
    ({"prompt": "x", "completion": "y", "messages": TALK}, EXCHANGE),
]


@in_every_file
@pytest.mark.parametrize(("row", "expected"), FORMS)
def test_every_form_in_every_kind_of_file(
    tmp_path: Path, file: str, row: Row, expected: list[tuple[str, str]]
) -> None:
    row = {**row, "weight": 0.5, "tags": ["a"]}
    path = WRITERS[file](tmp_path / file, row, row)
    instances = list(chat.read(SETTINGS, path))
    assert [texts(instance) for instance in instances] == [expected] * 2
    assert [i.id for i in instances] == ["mine_1", "mine_2"]
    assert {(i.task, i.source, i.references) for i in instances} == {("mine", "", ())}
    # Other columns and the system turn are kept.
    assert [i.row for i in instances] == [row, row]


def turn(role: str, content: object, **more: Any) -> Row:
    return {"role": role, "content": content, **more}


def answer(content: object, **more: Any) -> Row:
    return turn("assistant", content, **more)


def shared(sender: str, value: str, weight: float | None) -> Row:
    return {"from": sender, "value": value, "weight": weight}


Q, R, A, B = turn("user", "q"), turn("user", "r"), answer("a"), answer("b")
TEXT_Q, TEXT_A = ([{"type": "text", "text": text}] for text in "qa")
SHAREGPT = [
    *(shared("human", "q", None), shared("gpt", "a", 0.0)),
    *(shared("human", "r", None), shared("gpt", "b", 1.0)),
]
SYSTEM_TURNS = [
    *(turn("developer", "S"), Q, turn("system", "T"), R),
    *(turn("model", "a"), answer(""), B),
]
ALPACA = {"instruction": "r", "input": "s", "output": "b"}
UNUSED = {"tools": [{"name": "f"}], "images": ["0.png"], "meta": {"a": None}, "chosen": "c"}


@in_every_file
@pytest.mark.parametrize(
    ("row", "trained"),
    [
        ({"prompt": [Q, A, R], "completion": [B]}, [False, True]),
        ({"messages": [Q, answer("a", weight=0), R, answer("b", weight=1)]}, [False, True]),
        (
            {
                "messages": [
                    *(Q, answer("a", trainable=True)),
                    *(R, turn("Assistant", "b", train_on_turn=False)),
                ]
            },
            [True, False],
        ),
        ({"messages": [turn("user", "q", masked=True), answer("a", masked=False)]}, [True]),
        ({"conversations": SHAREGPT}, [False, True]),
    ],
)
def test_which_answers_are_trained_on(
    tmp_path: Path, file: str, row: Row, trained: list[bool]
) -> None:
    (instance,) = chat.read(SETTINGS, WRITERS[file](tmp_path / file, row))
    assert (instance.fault, instance.dropped, instance.unused) == ("", 0, [])
    assert [content for _, content in texts(instance)] == ["q", "a", "r", "b"][: 2 * len(trained)]
    assert [is_trained(message) for message in instance.messages[1::2]] == trained
    (reference,) = table_row(instance, keep_row=False)["references"]  # type: ignore[misc]
    assert reference == "ab"[trained.index(True)]


@in_every_file
@pytest.mark.parametrize(
    ("row", "contents", "unused"),
    [
        (
            {"messages": [turn("user", "q", loss=1.0), answer("a", loss=None)]},
            ["q", "a"],
            ["key 'loss' of turns that are not the assistant's"],
        ),
        (
            {**ALPACA, "system": "S", "history": [["q", "a"]]},
            ["S\n\nq", "a", "r\n\ns", "b"],
            [],
        ),
        ({"messages": [turn("system", "S"), Q, A], "system": "S\n"}, ["S\n\nq", "a"], []),
        ({"prompt": [turn("system", "S")], "completion": [Q, A]}, ["S\n\nq", "a"], []),
        ({"messages": SYSTEM_TURNS}, ["S\n\nq\n\nT\n\nr", "a\n\nb"], []),
        ({"messages": [turn("user", TEXT_Q), answer(TEXT_A)]}, ["q", "a"], []),
        (
            {"messages": [Q, answer("a", reasoning_content="So.", tool_calls=None)], **UNUSED},
            ["q", "a"],
            [
                *("column 'tools'", "column 'images'", "column 'chosen'"),
                "key 'reasoning_content' of turns",
            ],
        ),
        ({"messages": [Q, A], "history": [["q", "a"]]}, ["q", "a"], ["column 'history'"]),
    ],
)
def test_which_content_is_used(
    tmp_path: Path, file: str, row: Row, contents: list[str], unused: list[str]
) -> None:
    (instance,) = chat.read(SETTINGS, WRITERS[file](tmp_path / file, row))
    assert (instance.fault, instance.dropped, instance.unused) == ("", 0, unused)
    assert [content for _, content in texts(instance)] == contents
    *context, last = (is_trained(message) for message in instance.messages[1::2])
    assert (last, any(context)) == (True, False)


def test_trailing_turns_without_an_answer_are_counted(tmp_path: Path) -> None:
    tails = ([R], [R, turn("assistant", None)], [turn("system", "S")], [R, R, turn("system", "S")])
    path = lines(tmp_path / "pool.jsonl", *({"messages": [*TALK, *tail]} for tail in tails))
    instances = list(chat.read(SETTINGS, path))
    assert [(texts(instance), instance.dropped) for instance in instances] == [
        (EXCHANGE, dropped) for dropped in (1, 2, 1, 2)
    ]


def test_keys_beside_a_list_of_rows_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = {"système": "S", "data": JSON_ROWS, "dev": JSON_ROWS}
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(content, ensure_ascii=False))
    assert len(list(chat.read(SETTINGS, path))) == len(JSON_ROWS)
    assert f"{path}: keys beside the rows, not read: système, dev" in caplog.messages


def test_a_duplicate_key_is_named_once_per_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pool.json"
    row = '{"prompt": "p", "prompt": "q", "completion": "a"}'
    path.write_text(f"[{row}, {row}, {row}]")
    assert texts(next(chat.read(SETTINGS, path)))[0] == ("user", "q")
    list(chat.read(SETTINGS, path))
    (warning,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(f"{path}: row 1: 'prompt' comes twice in an object")


def test_columns_that_parquet_hides_are_named(tmp_path: Path) -> None:
    columns = [("prompt", "p"), ("prompt", "q"), ("completion", "a"), ("image", b"\xff")]
    names, values = zip(*columns, strict=True)
    table = pa.table([pa.array([value]) for value in values], names=names)
    pq.write_table(table, tmp_path / "pool.parquet")
    (instance,) = chat.read(SETTINGS, tmp_path / "pool.parquet")
    assert texts(instance) == [("user", "q"), ("assistant", "a")]
    assert instance.unused == ["column 'image' of bytes", "all but the last column 'prompt'"]


def test_optional_columns(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"id": "a", "kind": "where", "source": "book", "references": ["Là.", "Ici."]},
        {"id": "a", "kind": "where", "references": "Ici."},
        {"id": 7.0, "kind": 3, "source": None, "references": None},
        {"id": None, "kind": "x", "notes": [1]},
        dict.fromkeys(("id", "source", "references", "system", "tools"), float("nan")),
    ]
    rows[-1]["kind"] = "x"
    path = lines(tmp_path / "pool.jsonl", *({"messages": TALK, **row} for row in rows))
    instances = list(chat.read(chat.Settings(path="pool", task_column="kind"), path))
    assert [(i.id, i.task, i.source, i.references) for i in instances] == [
        ("a", "where", "book", ("Là.", "Ici.")),
        ("a#2", "where", "", ("Ici.",)),
        ("7", "3", "", ()),
        ("mine_4", "x", "", ()),
        ("mine_5", "x", "", ()),
    ]
    assert [instance.unused for instance in instances[3:]] == [["column 'notes'"], []]


def test_a_test_file_may_lack_the_task_column(tmp_path: Path) -> None:
    path = lines(tmp_path / "test.jsonl", {"messages": TALK})
    (instance,) = chat.read_test(chat.Settings(path="pool", task_column="kind"), path)
    assert (instance.id, instance.task) == ("mine_test_1", "mine")


def test_queries_are_a_separate_split_beside_any_test_set(tmp_path: Path) -> None:
    rows = [{"prompt": f"{i}?", "completion": "Là.", "kind": f"k{i % 3}"} for i in range(9)]
    pool, queries = lines(tmp_path / "p.jsonl", *rows), lines(tmp_path / "q.jsonl", rows[0])
    settings = chat.Settings(path=str(pool), query_path=str(queries), task_column="kind")
    assert (settings.test, settings.arranged_for) == ("specialist-0", "query")
    (instance,) = sample(settings, pool, "query", test_path=queries)
    assert (instance.id, instance.task) == ("mine_query_1", "k0")
    with pytest.raises(InputError, match="--split query: expected train"):
        list(sample(settings, pool, "query"))


@pytest.mark.parametrize("test", ["data/sub/test.jsonl", "data/sub", "link/sub/test.jsonl"])
def test_a_set_inside_the_folder_of_another_is_not_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/sub").mkdir(parents=True)
    Path("link").symlink_to("data")
    for name in ("pool", "query", "sub/test"):
        lines(Path(f"data/{name}.jsonl"), {"prompt": name, "completion": "a"})
    settings = chat.Settings(path="data", test_path=test, query_path="data/query.jsonl")
    # The settings that the program gets are enough.
    parsed = FORMATS.parse(settings.sampling("train"), path="data")
    (instance,) = sample(parsed, Path("data"), "train", holds_out="nothing")
    assert texts(instance)[0] == ("user", "pool")
    assert files_read(settings, Path("data")) == [Path("data/pool.jsonl")]
    assert [texts(i)[0][1] for i in chat.read_test(settings, Path(test))] == ["sub/test"]
    # The pool may also be inside the folder of the test set.
    inverted = chat.Settings(path="data/pool.jsonl", test_path="data", query_path=test)
    assert files_read(inverted, Path("data")) == [Path("data/query.jsonl")]
    Path("data/pool.jsonl").unlink()
    with pytest.raises(InputError, match="data: the folder holds nothing but test_path and query"):
        chat.files(settings, Path("data"))


def test_compressed_lines_byte_order_marks_and_blank_lines(tmp_path: Path) -> None:
    text = f"\ufeff{json.dumps({'messages': TALK})}\r\n\n  \n{json.dumps({'messages': TALK})}"
    data = text.encode()
    (tmp_path / "a.jsonl").write_bytes(data)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(data))
    with pa.output_stream(str(tmp_path / "c.jsonl.zst")) as stream:  # compresses by the name
        stream.write(data)
    instances = list(chat.read(SETTINGS, tmp_path))
    assert [texts(i) for i in instances] == [EXCHANGE] * 6
    assert [i.where.rpartition(": ")[2] for i in instances] == ["line 1", "line 4"] * 3


JSON_ROWS: list[Row] = [
    {"prompt": f"q {i} é 日本 🐈 \u2028", "completion": 'a\\n"b"', "n": i / 7} for i in range(9)
]
# The separator of two rows may occur inside a row, and the first keys may differ.
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
def test_every_encoding_layout_and_compression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, chunk: int
) -> None:
    monkeypatch.setattr(json_rows, "CHUNK", chunk)
    (tmp_path / name).write_bytes(content)
    instances = list(chat.read(SETTINGS, tmp_path / name))
    assert [i.row for i in instances] == JSON_ROWS


def test_how_a_file_is_read_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    array(tmp_path / "pool.json", {"messages": TALK})
    for _ in range(2):
        list(chat.read(SETTINGS, tmp_path / "pool.json"))
    assert caplog.messages == [f"{tmp_path}/pool.json: read as messages; columns: messages"]


def test_all_files_in_a_folder_are_read_or_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/loop").symlink_to(tmp_path)
    for name in ("a.json", "b.NDJSON", "license.jsonl", "sub/c.jsonl", "._a.json", ".d.jsonl"):
        array(tmp_path / name, {"messages": TALK})
    for name in ("config.json", "dataset_info.json"):
        array(tmp_path / name, {"no": "data"})
    parquet(tmp_path / "d.parquet", {"prompt": "Où?", "completion": "Là."})
    for name in ("e.csv", "sub/f.parquet"):
        (tmp_path / name).write_text("no data")
    instances = list(chat.read(SETTINGS, tmp_path))
    names = ["a.json", "b.NDJSON", "d.parquet", "license.jsonl", "sub/c.jsonl"]
    files = [i.where.rpartition(": ")[0] for i in instances]
    assert files == [f"{tmp_path}/{name}" for name in names]
    assert [i.id for i in instances] == [f"mine_{number}" for number in range(1, 6)]
    # The rules watch the same files for changes, and those that turn out to hold no rows.
    watched = sorted(tmp_path / name for name in [*names, "config.json", "sub/f.parquet"])
    assert files_read(SETTINGS, tmp_path) == watched
    assert not any("dataset_info" in message for message in caplog.messages)
    for name in ("config.json", "e.csv", "f.parquet"):
        assert sum(name in record.getMessage() for record in caplog.records) == 1


def test_files_are_read_as_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lines(tmp_path / "pool.jsonl", {"messages": TALK})
    with path.open("a") as file:
        file.write("{broken")
    assert next(chat.read(SETTINGS, path)).id == "mine_1"
    monkeypatch.setattr(parquet_reader, "BATCH", 2)
    path = parquet(tmp_path / "pool.parquet", *[{"messages": TALK, "image": b"\xff"}] * 5)
    instances = list(chat.read(SETTINGS, path))
    assert instances[-1].where == f"{path}: row 5"
    assert instances[-1].row == {"messages": TALK}  # JSON cannot hold bytes.


# Faults ----------------------------------------------------------------------------------------

GOOD = b'{"prompt": "q", "completion": "a"}\n'


def refused(path: Path, task_column: str | None = None) -> str:
    settings = chat.Settings(path="pool", task_column=task_column)
    return refusal(lambda: chat.read(settings, path))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "{}: the file is empty"),
        (b"\n \n", "{}: the file has no rows"),
        (GOOD * 2 + b'{"prompt": "q"', "{}: line 3: cut off at the end"),
        (GOOD + b'{"prompt": "q",}\n', "{}: line 2: not JSON (Expecting property name"),
        (GOOD + b'{"prompt": q}\n' + GOOD, "{}: line 2: not JSON ("),
        (GOOD + b"[1]\n", "{}: line 2: expected an object, found list"),
        (GOOD + b'{"prompt": "caf\xe9"}', "{}: line 2: not UTF-8 ("),
        (GOOD.decode().encode("utf-16")[:-1] + b"\xd8\x01", "{}: line 1: not UTF-16 ("),
        (GOOD + b"\x1a", "{}: line 2: not JSON (Expecting value, at character 1: '\\x1a')"),
        (b'{"data": {"train": [' + GOOD + b"]}}", "save them as a plain list or one per"),
        (b"[" * 100_000 + b"\n", "{}: row 1: lists or objects nested too deep"),
        (b'{"a":' * 100_000 + b"\n", "{}: line 1: lists or objects nested too deep"),
        (b"1" * 5000, "{}: line 1: a number of more than 4300 digits"),
        (b'{"data": [' + GOOD + b'], "train": [{}]}', "a second list of rows, 'train'"),
        (b"\x1f\x8b\x09 no gzip", "{}: line 1: damaged gzip ("),
        (b"PK no zip", "{}: not a whole zip ("),
        (b"{}\n", "{}: columns of no known form: none; the forms are: messages; conversations; "),
        (b'{"text": "t", "n": 1}\n', "{}: columns of no known form: text, n; the forms are: "),
        (GOOD + b'{"prompt": "q"}\n', "{}: line 2 (id 'mine_2'): column 'completion'"),
        (b'{"prompt": "q"}\n', "{}: prompts without answers, and a loss needs an answer; found"),
        (b'{"instruction": "q"}\n', "; found instruction; add a column 'output'"),
        (b'{"prompt": "q", "chosen": "a", "rejected": "b"}\n', "rename 'chosen' to 'completion'"),
        (b'{"instruction": "q", "response": "a"}\n', "rename 'response' to 'output', or map"),
        (json.dumps({"rejected": TALK, "chosen": TALK}).encode(), "(--columns chosen=messages)"),
        (json.dumps({"prompt": "Où?", "chosen": TALK}).encode(), "{{chosen: messages}}"),
        (json.dumps({"prompt": [*TALK, TALK[0]], "n": 1}).encode(), "prompts without answers"),
        (b'{"q": "q", "a": "a", "tags": ["t"]}\n', "answer=response); if the rows are nested"),
        (json.dumps({str(n): {} for n in range(99)}).encode(), ", 28, 29, …; the forms"),
    ],
)
def test_unusable_lines(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(content)
    assert named.format(path) in refused(path)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"messages": "q"}, "'messages' is str, not a list of turns"),
        ({"messages": [Q, "a"]}, "a turn of 'messages' must have 'role' and 'content'; found str"),
        ({"messages": ["q", " ", "r", "b"]}, "a turn before the last answer is empty"),
        ({"prompt": "q", "completion": ["a", "b"]}, "'role' and 'content'; found str"),
        ({"messages": [{"role": "user", "text": "q"}]}, "and 'content'; found role, text"),
        ({"messages": [Q, {"role": "tool", "content": "3"}]}, "no assistant turn, and a loss"),
        ({"messages": [{**Q, "role": "tool"}, A]}, "begins with a tool turn"),
        ({"messages": [{**Q, "role": "critic"}, A]}, "a turn is from 'critic'; expected"),
        ({"messages": [{"role": "user", "content": [{"image": "q"}]}]}, "parts that are not text"),
        ({"messages": [{"role": "user", "content": 3}]}, "a turn's content is int, not text"),
        ({"conversations": [{"from": "bing", "value": "q"}]}, "a turn is from 'bing'"),
        ({"prompt": 3, "completion": "a"}, "'prompt' is int, not text"),
        ({"instruction": "q", "input": ["x"], "output": "a"}, "'input' is list, not text"),
        ({"messages": [Q, A], "id": 2.5}, "'id' is float, not text or a whole number"),
        ({"messages": [Q, A], "id": [1]}, "'id' is list, not text or a whole number"),
        ({"messages": [Q, A], "references": [1]}, "'references' must be an answer or a"),
        ({"messages": [Q, A], "task": None}, "column 'task' is empty"),
        ({"messages": [Q]}, "(id 'mine_2'): no assistant turn, and a loss needs an answer"),
        ({"messages": None}, "(id 'mine_2'): no user turn"),
        ({"prompt": "q", "completion": " "}, "no assistant turn, and a loss needs an answer"),
        ({"messages": [A, Q, A]}, "begins with the assistant"),
        ({"messages": [Q, {**A, "content": None}, Q, A]}, "the last answer is"),
        ({"messages": [Q, {**A, "tool_calls": [{"id": 1}]}]}, "'tool_calls': tool calls are"),
        ({"messages": [Q, {"role": "assistant", "function_call": {"name": "f"}}]}, "tool calls"),
        ({"messages": [Q, {**A, "weight": 0}]}, "no turn is trained on"),
        ({"messages": [Q, {**A, "weight": 0.5}]}, "'weight' is 0.5, and only 0 and 1"),
        ({"messages": [Q, {**A, "loss_mask": 0}]}, "'loss_mask', which may say whether it"),
        ({"messages": [Q, {**A, "ignore": True}]}, "'train' if 1 means that it is,"),
        ({"messages": [{**Q, "content": [{"type": "text", "text": 3}]}, A]}, "not text"),
        ({"messages": [Q, {**A, "train": False}, A]}, "in a row, only one is trained"),
        ({"prompt": [Q, A], "completion": "b"}, "the prompt ends with an assistant turn"),
        ({"prompt": "q", "completion": [Q, A]}, "map its column to 'messages' with `columns`"),
        ({"prompt": [Q], "completion": [turn("system", "S"), Q, A]}, "begins with a user turn"),
        ({"instruction": "q", "output": "a", "history": [["q"]]}, "'history' must hold pairs"),
        ({"instruction": "q", "output": "a", "system": ["s"]}, "'system' is list, not text"),
    ],
)
def test_unusable_rows(tmp_path: Path, row: Row, named: str) -> None:
    good: Row = {"task": "t", **{key: "q" for key in row if key not in ("id", "task")}}
    turns = {
        "messages": [Q, A],
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


@in_every_file
def test_columns_are_renamed_as_mapped(tmp_path: Path, file: str) -> None:
    columns = {"question": "prompt", "answer": "response", "key": "id"}
    settings = chat.Settings(path="pool", columns=columns, task_column="question")
    row = {"question": "q", "answer": "a", "key": "k"}

    def write(prefix: str, **row: str) -> Path:
        return WRITERS[file](tmp_path / f"{prefix}_{file}", row)

    (mapped,) = chat.read(settings, write("mapped", **row))
    assert texts(mapped) == [("user", "q"), ("assistant", "a")]
    assert (mapped.id, mapped.task) == ("k", "q")
    assert mapped.row == row
    # What is mapped precedes the other forms.
    both = WRITERS[file](tmp_path / f"both_{file}", {**row, "messages": TALK})
    assert [texts(instance) for instance in chat.read(settings, both)] == [texts(mapped)]
    # A test set may have the new names already, but a pool may not.
    named = write("named", prompt="q", completion="a")
    assert [texts(instance) for instance in chat.read_test(settings, named)] == [texts(mapped)]
    message = refusal(lambda: chat.read(settings, named))
    assert "no column 'question', which columns maps to 'prompt'; found prompt" in message
    near = write("near", questions="q", answer="a", key="k")
    message = refusal(lambda: chat.read_test(settings, near))
    assert message.endswith("found questions, answer, key; did you mean 'questions'?")
    twice = write("twice", **row, prompt="p")
    assert "already has a column 'prompt'" in refusal(lambda: chat.read(settings, twice))


def test_only_the_recorded_files_of_a_fetched_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    parquet(tmp_path / "data/b.parquet", {"prompt": "1", "completion": "a"})
    array(tmp_path / "data/c.json", {"prompt": "2", "completion": "a"})
    names = ["data/c.json", "README.md", "data/b.parquet"]
    (tmp_path / "fetched.json").write_text(json.dumps({"files": {name: {} for name in names}}))
    assert [texts(instance)[0][1] for instance in chat.read(SETTINGS, tmp_path)] == ["1", "2"]
    (tmp_path / "fetched.json").write_text(json.dumps({"files": {"README.md": {}}}))
    assert "there are README.md; choose others by hub.files" in refused(tmp_path)


def test_unusable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no such file or folder" in refused(tmp_path / "nowhere.jsonl")
    assert f"{tmp_path}: the folder holds no file in .jsonl, " in refused(tmp_path)
    (tmp_path / "pool.csv").write_text("prompt,completion\n")
    assert "pool.csv: the name ends in none of .jsonl, " in refused(tmp_path / "pool.csv")
    for name in ("saved/dataset_dict.json", "saved/train/state.json", "saved/train/data.arrow"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert refused(tmp_path / "saved").endswith("save each split with `to_parquet` of datasets")
    for path in (tmp_path / "lfs.jsonl", tmp_path / "lfs.parquet"):
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
        assert refused(path).startswith(f"{path}: a pointer of Git LFS; `git lfs pull`")
    # Rows are missing there, so the other files of a folder are not enough.
    path = path.rename(tmp_path / "saved/train/b.parquet")
    array(tmp_path / "saved/train/a.json", {"prompt": "q", "completion": "a"})
    assert refused(tmp_path / "saved").startswith(f"{path}: a pointer of Git LFS")
    (tmp_path / "lfs.jsonl").unlink()
    (tmp_path / "pool.json").write_bytes(GOOD)
    assert len(list(chat.read(SETTINGS, tmp_path / "pool.json"))) == 1
    path = tmp_path / "pool.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD * 3)[:-12])
    assert f"{path}: line 1: cut off gzip (" in refused(path)
    monkeypatch.setattr(json_rows, "MAX_ROW_BYTES", 100)
    monkeypatch.setattr(json_rows, "CHUNK", 40)
    path = tmp_path / "pool.jsonl"
    path.write_bytes(GOOD + b"[" + b"1," * 100)
    assert "line 2: longer than 100 bytes" in refused(path)
    path.write_text("\n" * 300)
    assert "nothing but blanks in 100 bytes" in refused(path)


def test_unusable_parquet(tmp_path: Path) -> None:
    path = tmp_path / "pool.parquet"
    path.write_text("PAR1 and no more")
    assert f"{path}: not a whole Parquet file" in refused(path)
    pq.write_table(pa.table({"prompt": [], "completion": []}), path)
    assert refused(path) == f"{path}: the file has no rows"
    pq.write_table(pa.table({"prompt": ["q"], "completion": ["a"]}), path)
    message = refused(path, "kind")
    assert f"{path}: no column 'kind' (task_column); found prompt" in message
    table = pa.table({"prompt": ["q", "q"], "time": pa.array([0, 2**62], pa.timestamp("us"))})
    pq.write_table(table.append_column("completion", [["a", "a"]]), path)
    assert f"{path}: row 2: a column that cannot be read (date value out of" in refused(path)
    offsets = pa.array([0, 4, 8], pa.int32()).buffers()[1]
    answers = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"fineca\xe9!"))
    pq.write_table(pa.table({"prompt": ["q", "q"], "completion": answers}), path)
    assert f"{path}: damaged after row 1 ('utf-8' codec" in refused(path)
