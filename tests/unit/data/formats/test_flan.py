"""The Flan-mini reader: what it keeps, what it repairs, and what it refuses."""

import itertools
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.formats import flan

Row = dict[str, object]


def row(id_: object = "a", source: str = "task", *turns: tuple[str, object]) -> Row:
    turns = turns or (("human", "What is it?"), ("gpt", "A cat."))
    return {
        "id": id_,
        "source": source,
        "conversations": [{"from": sender, "value": value} for sender, value in turns],
    }


def plain(folder: Path, rows: object, *, ascii_only: bool = False) -> Path:
    path = folder / "flan_mini.json"
    path.write_text(json.dumps(rows, ensure_ascii=ascii_only), encoding="utf-8")
    return path


def zipped(
    folder: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    path = folder / "flan_mini.json.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def texts(instance: Instance) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in instance.messages]


def refusal(path: Path) -> str:
    """Return the message with which a file is refused; it names the file in one line."""
    with pytest.raises(InputError) as caught:
        list(flan.read(flan.Settings(), path))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


ROWS = [row(f"{i}", f"task-{i % 3}", ("human", f"q{i}"), ("gpt", f"a{i}")) for i in range(7)]


def test_rows_come_in_the_order_of_the_file_plain_and_zipped(tmp_path: Path) -> None:
    content = json.dumps(ROWS).encode()
    noise = {"__MACOSX/._flan_mini.json": b"\x00\x05\x16\x07", "README.txt": b"hello"}
    paths = [
        plain(tmp_path, ROWS),
        zipped(tmp_path, {"folder/flan_mini.json": content, **noise}),
    ]
    for path in paths:
        found = list(flan.read(flan.Settings(), path))
        assert [i.id for i in found] == [str(i) for i in range(7)]
        assert [i.task for i in found] == [f"task-{i % 3}" for i in range(7)]
        assert texts(found[4]) == [("user", "q4"), ("assistant", "a4")]


def test_several_exchanges_and_turns_without_text(tmp_path: Path) -> None:
    conversation = (
        *(("gpt", "nobody asked"), ("human", "one"), ("gpt", "1")),
        *(("human", "two"), ("gpt", None), ("human", "three"), ("gpt", "  ")),
        *(("human", ""), ("gpt", "4"), ("human", "five"), ("gpt", "5"), ("human", "six")),
    )
    no_value = row("b")
    no_value["conversations"] = [{"from": "human"}, {"from": "gpt", "value": "an answer"}]
    path = plain(tmp_path, [row("a", "t", *conversation), no_value, row("c", "t", ("gpt", "x"))])
    first, second, third = flan.read(flan.Settings(), path)
    expected = [("user", "one"), ("assistant", "1"), ("user", "five"), ("assistant", "5")]
    assert (texts(first), first.dropped) == (expected, len(conversation) - 4)
    assert (texts(second), second.dropped) == ([], 2)
    assert (texts(third), third.dropped) == ([], 1)


def test_empty_list_of_turns_is_an_instance_without_messages(tmp_path: Path) -> None:
    empty = {"id": "a", "source": "t", "conversations": []}
    (instance,) = flan.read(flan.Settings(), plain(tmp_path, [empty]))
    assert instance.messages == []


@pytest.mark.parametrize("ascii_only", [True, False])
def test_any_text_survives(tmp_path: Path, ascii_only: bool) -> None:
    text = 'żółć 日本語 🐈 \u2028 "quoted" \\ \t\n naïve'
    path = plain(
        tmp_path, [row("ü", "tâche", ("human", text), ("gpt", text))], ascii_only=ascii_only
    )
    (instance,) = flan.read(flan.Settings(), path)
    assert (instance.id, instance.task) == ("ü", "tâche")
    assert texts(instance) == [("user", text), ("assistant", text)]


def test_repeated_ids_are_numbered_and_numbers_are_text(tmp_path: Path) -> None:
    path = plain(tmp_path, [row("a"), row(7), row("a"), row("7"), row("a")])
    assert [i.id for i in flan.read(flan.Settings(), path)] == ["a", "7", "a#2", "7#2", "a#3"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.sampled_from(["a", "a#2", "a#3", "a#2#2", "b"]), min_size=1, max_size=8))
def test_ids_are_unique_whatever_the_file_calls_them(tmp_path: Path, ids: list[str]) -> None:
    found = [i.id for i in flan.read(flan.Settings(), plain(tmp_path, [row(id_) for id_ in ids]))]
    assert len(found) == len(ids)
    assert len(set(found)) == len(found)


def test_the_first_rows_are_there_before_the_tail_is_read(tmp_path: Path) -> None:
    many = json.dumps([row(str(i), "t", ("human", "q" * 50), ("gpt", "a")) for i in range(5000)])
    path = tmp_path / "flan_mini.json"
    path.write_text(many[: len(many) // 2] + "\x00 damaged")
    reader = flan.read(flan.Settings(), path)
    assert [i.id for i in itertools.islice(reader, 100)] == [str(i) for i in range(100)]
    with pytest.raises(InputError, match=r"damaged after row 2[45]\d\d"):
        list(reader)


@pytest.mark.parametrize("name", ["flan_mini.json", "flan_mini.json.zip"])
def test_missing_and_empty_files(tmp_path: Path, name: str) -> None:
    assert "no such file" in refusal(tmp_path / name)
    (tmp_path / name).touch()
    assert "empty" in refusal(tmp_path / name)


CONTENT = json.dumps(ROWS[:2], ensure_ascii=False).encode()


def test_json_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flan_mini.json"
    for length in range(1, len(CONTENT)):
        path.write_bytes(CONTENT[:length])
        assert "cut off" in refusal(path)


@pytest.mark.parametrize(
    "content",
    [
        b"no JSON at all",
        b'{"train": []}',
        b"[]",
        b'"text"',
        b"  \n",
        b'{"item": {"id": "a", "source": "t", "conversations": []}}',
        CONTENT + CONTENT,
        CONTENT.replace(b"q0", b"\xff\xfe"),
        CONTENT.replace(b'"q0"', b"NaN"),
    ],
)
def test_what_is_no_json_array_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "flan_mini.json"
    path.write_bytes(content)
    refusal(path)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ("text", "str"),
        (["a", "t"], "list"),
        (None, "NoneType"),
        ({"source": "t", "conversations": []}, "'id'"),
        ({"id": "b", "conversations": []}, "'source'"),
        ({"id": "b", "source": "t"}, "'conversations'"),
        ({"id": "b", "source": None, "conversations": []}, "'source'"),
        ({"id": "b", "source": 3, "conversations": []}, "'source'"),
        ({"id": "b", "source": " ", "conversations": []}, "'source' is empty"),
        ({"id": "b", "source": "t", "conversations": {"from": "human"}}, "'conversations'"),
        ({"id": "b", "source": "t", "conversations": ["hello"]}, "None"),
        (row("b", "t", ("system", "hello")), "'system'"),
        (row("b", "t", ("human", 3)), "int"),
        (row("b", "t", ("human", ["hello"])), "list"),
    ],
)
def test_a_row_of_another_form_is_named(tmp_path: Path, bad: object, named: str) -> None:
    message = refusal(plain(tmp_path, [row("a"), bad, row("c")]))
    assert ": row 2: " in message
    assert named in message


def test_zip_without_or_with_two_json_files(tmp_path: Path) -> None:
    assert "found none" in refusal(zipped(tmp_path, {"data.csv": b"a,b"}))
    both = refusal(zipped(tmp_path, {"a.json": CONTENT, "b.json": CONTENT}))
    assert "a.json, b.json" in both


def test_zip_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"flan_mini.json": json.dumps(ROWS).encode()})
    whole = path.read_bytes()
    for length in range(1, len(whole), 7):
        path.write_bytes(whole[:length])
        assert "zip" in refusal(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_data_in_a_zip_is_refused(tmp_path: Path, compression: int) -> None:
    path = zipped(tmp_path, {"flan_mini.json": json.dumps(ROWS).encode()}, compression)
    whole = path.read_bytes()
    data = 30 + len("flan_mini.json")
    for place in range(data, whole.rindex(b"PK\x01\x02"), 5):
        path.write_bytes(flipped(whole, place))
        refusal(path)


def test_damaged_header_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"flan_mini.json": json.dumps(ROWS).encode()})
    path.write_bytes(flipped(path.read_bytes(), 0))
    assert "zip" in refusal(path)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
