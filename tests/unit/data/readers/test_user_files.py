"""Files of every encoding, layout and compression, folders of them, and what is wrong with them."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conversations import texts
from own_files import SETTINGS, TALK, Row, array, lines, parquet, refused

from nearfirst.data.formats import chat
from nearfirst.data.readers import json_rows
from nearfirst.data.readers import parquet as parquet_reader
from nearfirst.data.registry import files_read


def test_keys_beside_a_list_of_rows_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = {"système": "S", "data": JSON_ROWS, "dev": JSON_ROWS}
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(content, ensure_ascii=False))
    assert len(list(chat.read(SETTINGS, path))) == len(JSON_ROWS)
    assert f"{path}: keys beside the rows, not read: système, dev" in caplog.messages


def test_half_a_surrogate_pair_is_read_as_a_question_mark(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = '{"prompt": "q \\ud83d\\ude00", "completion": "a"}\n'
    path = tmp_path / "pool.jsonl"
    path.write_text(good + '{"prompt": "q \\ud83d", "completion": "a", "\\udc00": 1}\n' + good)
    instances = list(chat.read(SETTINGS, path))
    emoji = "q \N{GRINNING FACE}"
    assert [texts(instance)[0][1] for instance in instances] == [emoji, "q ?", emoji]
    assert instances[1].row == {"prompt": "q ?", "completion": "a", "?": 1}
    assert sum("half of a surrogate pair" in message for message in caplog.messages) == 1


def test_columns_that_parquet_hides_are_named(tmp_path: Path) -> None:
    columns = [("prompt", "p"), ("prompt", "q"), ("completion", "a"), ("image", b"\xff")]
    names, values = zip(*columns, strict=True)
    table = pa.table([pa.array([value]) for value in values], names=names)
    pq.write_table(table, tmp_path / "pool.parquet")
    (instance,) = chat.read(SETTINGS, tmp_path / "pool.parquet")
    assert texts(instance) == [("user", "q"), ("assistant", "a")]
    assert instance.unused == ["column 'image' of bytes", "all but the last column 'prompt'"]


JSON_ROWS: list[Row] = [
    {"prompt": f"q {i} é 日本 🐈 \u2028", "completion": 'a\\n"b"', "n": i / 7} for i in range(9)
]
# The separator of two rows may occur inside a row, and the first keys may differ.
JSON_ROWS[3] |= {"n": [{"prompt": 1}, {"prompt": "é"}, {"prompt": '}, {"prompt": 2}\n'}]}
JSON_ROWS[5:7] = [{"n": "é", **row} for row in JSON_ROWS[5:7]]
ROW_LINES = "\n".join(map(json.dumps, JSON_ROWS))
BLANK_LINES = f"\ufeff{ROW_LINES}".replace("\n", "\r\n \n")


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
        ("blanks.jsonl.zst", pa.compress(BLANK_LINES.encode(), "zstd", asbytes=True)),
    ],
)
def test_every_encoding_layout_and_compression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, chunk: int
) -> None:
    monkeypatch.setattr(json_rows, "CHUNK", chunk)
    (tmp_path / name).write_bytes(content)
    instances = list(chat.read(SETTINGS, tmp_path / name))
    assert [i.row for i in instances] == JSON_ROWS


def test_all_files_in_a_folder_are_read_or_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/loop").symlink_to(tmp_path)
    for name in ("a.json", "b.NDJSON", "license.jsonl", "sub/c.jsonl", "._a.json", ".d.jsonl"):
        array(tmp_path / name, {"messages": TALK})
    array(tmp_path / "dataset_info.json", {"no": "data"})
    parquet(tmp_path / "d.parquet", {"prompt": "Où?", "completion": "Là."})
    (tmp_path / "e.csv").write_text("no data")
    instances = list(chat.read(SETTINGS, tmp_path))
    names = ["a.json", "b.NDJSON", "d.parquet", "license.jsonl", "sub/c.jsonl"]
    files = [i.where.rpartition(": ")[0] for i in instances]
    assert files == [f"{tmp_path}/{name}" for name in names]
    assert [i.id for i in instances] == [f"mine_{number}" for number in range(1, 6)]
    # The rules watch the same files for changes.
    assert files_read(SETTINGS, tmp_path) == [tmp_path / name for name in names]
    assert f"{tmp_path}: 1 files are not read: {tmp_path}/e.csv" in caplog.messages
    array(tmp_path / "config.json", {"no": "data"})
    assert refused(tmp_path).startswith(f"{tmp_path}/config.json: columns of no known form: no;")


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


GOOD = b'{"prompt": "q", "completion": "a"}\n'


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "{}: the file is empty"),
        (b"\n \n", "{}: the file has no rows"),
        (GOOD * 2 + b'{"prompt": "q"', "{}: line 3: cut off at the end"),
        (GOOD + b'{"prompt": "q",}\n', "{}: line 2: not JSON (Expecting property name"),
        (GOOD + b"[1]\n", "{}: line 2: expected an object, found list"),
        (GOOD + b'{"prompt": "caf\xe9"}', "{}: line 2: not UTF-8 ("),
        (GOOD.decode().encode("utf-16")[:-1] + b"\xd8\x01", "{}: line 1: not UTF-16 ("),
        (GOOD + b"\x1a", "{}: line 2: not JSON (Expecting value, at character 1: '\\x1a')"),
        (b"[" * 100_000 + b"\n", "{}: row 1: lists or objects nested too deep"),
        (b"1" * 5000, "{}: line 1: a number of more than 4300 digits"),
        (b'{"data": [' + GOOD + b'], "train": [{}]}', "a second list of rows, 'train'"),
        (b"[" + GOOD + b"][]", "row 2: not JSON (expected the end of the file, found '[')"),
        (b"\x1f\x8b\x09 no gzip", "{}: line 1: damaged gzip ("),
        (b"PK no zip", "{}: not a whole zip ("),
        (b'{"text": "t", "n": 1}\n', "{}: columns of no known form: text, n; a row needs a "),
        (GOOD + b'{"prompt": "q"}\n', "{}: line 2 (id 'mine_2'): column 'completion'"),
        (json.dumps({str(n): {} for n in range(99)}).encode(), ", …; a row"),
    ],
)
def test_unusable_lines(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(content)
    assert named.format(path) in refused(path)


def test_unusable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no such file or folder" in refused(tmp_path / "nowhere.jsonl")
    assert f"{tmp_path}: the folder holds no file in .jsonl, " in refused(tmp_path)
    (tmp_path / "pool.csv").write_text("prompt,completion\n")
    assert "pool.csv: the name ends in none of .jsonl, " in refused(tmp_path / "pool.csv")
    (tmp_path / "saved").mkdir()
    for name in ("saved/state.json", "saved/data.arrow"):
        (tmp_path / name).write_text("{}")
    assert refused(tmp_path / "saved").endswith("; found data.arrow")
    for path in (tmp_path / "lfs.jsonl", tmp_path / "lfs.parquet"):
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
        assert refused(path).startswith(f"{path}: a pointer of Git LFS; `git lfs pull`")
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
    assert f"{path}: cannot be read after row 0 (date value out of" in refused(path)
    offsets = pa.array([0, 4, 8], pa.int32()).buffers()[1]
    answers = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"fineca\xe9!"))
    pq.write_table(pa.table({"prompt": ["q", "q"], "completion": answers}), path)
    assert f"{path}: cannot be read after row 0 ('utf-8' codec" in refused(path)
