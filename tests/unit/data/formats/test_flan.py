"""The Flan-mini reader, and JSON arrays, plain and zipped, some by a hostile author."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from conversations import refusal, texts
from files import contents

from nearfirst.common.errors import InputError
from nearfirst.data import chat_rows
from nearfirst.data.formats import flan
from nearfirst.data.inventory import take_inventory
from nearfirst.data.naming import source_of

Row = dict[str, object]
SETTINGS = flan.Settings()


def row(id_: object = "a", source: str = "task", *turns: tuple[str, object]) -> Row:
    turns = turns or (("human", "What is it?"), ("gpt", "A cat."))
    return {
        "id": id_,
        "source": source,
        "conversations": [{"from": sender, "value": value} for sender, value in turns],
    }


def plain(folder: Path, rows: object) -> Path:
    path = folder / "flan_mini.json"
    path.write_text(json.dumps(rows))
    return path


def zipped(
    folder: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    path = folder / "flan_mini.json.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refused(path: Path) -> str:
    """Return the message that refuses a file and names it."""
    message = refusal(lambda: flan.read(SETTINGS, path))
    assert message.startswith(f"{path}: ")
    return message


ROWS = [row(f"{i}", f"task_{i % 3}", ("human", f"q{i}"), ("gpt", f"a{i}")) for i in range(7)]
CONTENT = json.dumps(ROWS).encode()


def test_rows_of_plain_and_zipped_files_and_of_folders(tmp_path: Path) -> None:
    noise = {"__MACOSX/._flan_mini.json": b"\x00\x05\x16\x07", "README.txt": b"hello"}
    archive = zipped(tmp_path, {"folder/flan_mini.json": CONTENT, **noise})
    for path in (archive, tmp_path, plain(tmp_path, ROWS)):
        instances = list(flan.read(SETTINGS, path))
        assert [i.id for i in instances] == [str(i) for i in range(7)]
        assert [i.task for i in instances] == [f"task_{i % 3}" for i in range(7)]
        assert {i.source for i in instances} == {"task"}
        assert texts(instances[4]) == [("user", "q4"), ("assistant", "a4")]
        assert [i.row for i in instances] == ROWS


TURNS = [{"from": "human", "value": "q"}, {"from": "gpt", "value": " a"}]


@pytest.mark.parametrize(
    "changes",
    [
        *({}, {"id": 7}, {"id": " "}, {"source": ""}, {"system": "s"}, {"conversations": None}),
        {"conversations": TURNS[::-1]},
        {"conversations": TURNS * 2},
        {"conversations": [1, 2]},
        {"conversations": ["q", "a"]},
        {"conversations": [TURNS[0], {"from": "gpt", "value": " "}]},
        {"conversations": [TURNS[0], {"from": "gpt", "value": None}]},
        {"conversations": [TURNS[0], {"value": "a", "from": "gpt"}]},
        {"conversations": [TURNS[0], {**TURNS[1], "weight": 0}]},
        {"conversations": [TURNS[0], {"from": "tool", "value": "a"}]},
    ],
)
def test_rows_are_read_by_the_general_rules(changes: dict[str, Any]) -> None:
    row = {"id": "a", "source": "task", "conversations": TURNS} | changes
    expected = chat_rows.instance("conversations", row, "w", "n", task_column="source")
    expected.source = source_of(expected.task)
    found = flan._instance(row, "n", "w")
    found.unused = [*found.unused]
    assert found == expected


def test_json_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flan_mini.json"
    whole = json.dumps(ROWS[:2]).encode()
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        assert "cut off" in refused(path)


def test_a_row_of_another_form_is_named(tmp_path: Path) -> None:
    message = refused(plain(tmp_path, [row("a"), {"id": "b", "source": "t"}, row("c")]))
    assert "row 2 (id 'b'): column 'conversations' is missing; found id, source" in message


def test_a_zip_of_no_or_two_json_files(tmp_path: Path) -> None:
    assert "found data.csv" in refused(zipped(tmp_path, {"data.csv": b"a,b"}))
    assert "found a.json, b.json" in refused(zipped(tmp_path, {"a.json": b"[", "b.json": b"["}))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_that_is_cut_off_or_damaged_anywhere_is_refused(
    tmp_path: Path, compression: int
) -> None:
    path = zipped(tmp_path, {"flan_mini.json": CONTENT}, compression)
    whole = path.read_bytes()
    for length in range(1, len(whole), 7):
        path.write_bytes(whole[:length])
        assert "zip" in refused(path)
    data = 30 + len("flan_mini.json")
    for place in (0, *range(data, whole.rindex(b"PK\x01\x02"), 5)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        refused(path)


# A hostile author --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../evil.json", "{folder}/evil.json", "C:\\evil.json"])
def test_a_zip_member_is_read_and_not_unpacked(name: str, tmp_path: Path) -> None:
    (tmp_path / "my/data").mkdir(parents=True)
    path = zipped(tmp_path / "my/data", {name.format(folder=tmp_path): CONTENT})
    before = contents(tmp_path)
    assert len(list(flan.read(SETTINGS, path))) == len(ROWS)
    assert contents(tmp_path) == before


def test_a_zip_member_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = plain(tmp_path, ROWS).rename(tmp_path / "secret.json")
    link = zipfile.ZipInfo("flan_mini.json")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    path = tmp_path / "flan_mini.json.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(link, str(secret))
    assert "line 1: not JSON" in refused(path)


def test_the_error_about_an_archive_is_one_short_line(program: Any, tmp_path: Path) -> None:
    path = zipped(tmp_path, {f"\x1b[31m\n{number}.json": b"[]" for number in range(1000)})
    flags = ["--settings", '{"format": "flan"}', "--input", path, "--split", "train"]
    done = program("sample.py", *flags, "--output", tmp_path / "out", "--log", tmp_path / "log")
    (line,) = done.stderr.splitlines()
    assert line.isprintable()
    assert "expected one .json file inside, found \\x1b[31m\\n0.json" in line
    assert len(line) < 500
    assert line in (tmp_path / "log").read_text()


def test_text_that_no_table_can_represent(tmp_path: Path) -> None:
    path = plain(tmp_path, [row("a"), row("b", "a\rb")])
    with pytest.raises(InputError, match=r"row 2: the task 'a\\rb' holds a carriage return"):
        take_inventory(flan.read(SETTINGS, path), skip_unusable=True)
