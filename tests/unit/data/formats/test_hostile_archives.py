"""Published data of a hostile author: names lead nowhere, and what is said of them is one line."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.formats import flan
from nearfirst.data.formats import niv2 as niv2_reader
from nearfirst.data.formats import p3 as p3_reader
from nearfirst.data.inventory import take_inventory

FLAN = flan.Settings()
ODD = ["a b$(touch pwned)`x`", "'q' \"q\"", "{wildcard}", "~", "-rf", "%s\\n", "a;b&c|d>e", "*?["]


def conversation(number: int, task: str) -> dict[str, object]:
    turns = [{"from": "human", "value": "Is it?"}, {"from": "gpt", "value": "It is."}]
    return {"id": f"{number}", "source": task, "conversations": turns}


def refusal(read: Callable[[], Any]) -> str:
    with pytest.raises(InputError) as caught:
        read()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# Archives --------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "my/data").mkdir(parents=True)
    return tmp_path / "my/data/flan_mini.json.zip"


@pytest.mark.parametrize("name", ["../../evil.json", "{folder}/evil.json", "C:\\evil.json"])
def test_a_member_is_read_and_goes_nowhere(name: str, archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(name.format(folder=tmp_path), json.dumps([conversation(1, "task")]))
    before = below(tmp_path)
    assert [instance.task for instance in flan.read(FLAN, archive)] == ["task"]
    assert below(tmp_path) == before


def test_a_member_that_is_a_link_is_not_followed(archive: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps([conversation(1, "a secret")]))
    link = zipfile.ZipInfo("flan_mini.json")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(link, str(secret))
    assert "after row 0" in refusal(lambda: list(flan.read(FLAN, archive)))


def test_what_is_said_of_an_archive_is_one_short_line(
    program: Any, archive: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(archive, "w") as opened:
        for number in range(1000):
            opened.writestr(f"\x1b[31m\n{number}.json", "[]")
    flags = ["--settings", '{"format": "flan"}', "--input", archive, "--split", "train"]
    done = program("sample.py", *flags, "--output", tmp_path / "out", "--log", tmp_path / "log")
    (line,) = done.stderr.splitlines()
    assert line.isprintable()
    assert "expected one .json file inside, found \\x1b[31m\\n0.json" in line
    assert len(line) < 500
    assert line in (tmp_path / "log").read_text()


# Names -----------------------------------------------------------------------------------------


def niv2(folder: Path, train: list[str], unseen: list[str]) -> Path:
    task = {
        "Definition": "Say it.",
        "Positive Examples": [],
        "Instances": [{"id": "1", "input": "a", "output": "b"}],
    }
    (folder / "tasks").mkdir(parents=True)
    (folder / "splits/default").mkdir(parents=True)
    for name in [*train, *unseen]:
        if "/" not in name and "\0" not in name:
            (folder / f"tasks/{name}.json").write_text(json.dumps(task))
    (folder / "secret.json").write_text(json.dumps(task))
    for file, names in (("train_tasks.txt", train), ("test_tasks.txt", unseen)):
        (folder / "splits/default" / file).write_text("\n".join(names))
    return folder


def read_niv2(folder: Path) -> list[Instance]:
    return list(niv2_reader.instances(niv2_reader.Settings(), folder, lambda prompt: True))


def test_niv2_names_are_kept_as_they_are(tmp_path: Path) -> None:
    found = read_niv2(niv2(tmp_path / "niv2", ODD[1:], ODD[:1]))
    assert [instance.task for instance in found] == sorted(ODD)


@pytest.mark.parametrize("name", ["../secret", "{folder}/secret", "x/../../secret", "a\0b"])
def test_a_niv2_list_names_files_of_its_own_folder(name: str, tmp_path: Path) -> None:
    name = name.format(folder=tmp_path / "niv2")
    line = refusal(lambda: read_niv2(niv2(tmp_path / "niv2", [name], ["task1"])))
    assert f"task {name!r} is not the name of a file in tasks/" in line


def p3(folder: Path, *names: str, shard: str = "train-00000-of-00001") -> Path:
    for name in names:
        (folder / name).mkdir(parents=True)
        columns = {"inputs_pretokenized": ["Is it?"], "targets_pretokenized": ["It is."]}
        pq.write_table(pa.table(columns), folder / name / f"{shard}.parquet")
    (folder / "datasets.csv").write_text("HF_name,subset,do_train,do_eval\na,,BASE,\nb,,,BASE\n")
    return folder


def read_p3(folder: Path) -> list[Instance]:
    return list(p3_reader.read(p3_reader.Settings(), folder))


def test_p3_names_are_kept_as_they_are(tmp_path: Path) -> None:
    names = [f"{'ab'[number % 2]} {name}" for number, name in enumerate(ODD)]
    found = read_p3(p3(tmp_path / "p3", *names))
    assert [instance.task for instance in found] == sorted(names)
    assert [instance.id for instance in found] == [f"{name}/train/1" for name in sorted(names)]


def test_a_p3_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    folder = p3(tmp_path / "p3", "a", "b")
    (folder / "a").rename(folder / os.fsdecode(b"a \xff"))
    line = refusal(lambda: read_p3(folder))
    assert line.isascii()
    assert "a \\udcff': the folder's name is no UTF-8" in line


def test_a_p3_file_may_say_any_number(tmp_path: Path) -> None:
    folder = p3(tmp_path / "p3", "a", "b", shard="train-00000-of-99999999999")
    assert "train-00000-of-99999999999.parquet" in str(next((folder / "a").iterdir()))
    line = refusal(lambda: read_p3(folder))
    assert "train-00001-of-99999999999.parquet: no such file" in line


def test_a_task_that_no_table_gives_back_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flan_mini.json"
    path.write_text(json.dumps([conversation(1, "task"), conversation(2, "a\rb")]))
    line = refusal(lambda: take_inventory(flan.read(FLAN, path), skip_unusable=True))
    assert line.startswith(f"{path}: row 2: the task 'a\\rb' holds a carriage return")


def test_half_a_surrogate_pair_is_told(tmp_path: Path) -> None:
    path = tmp_path / "flan_mini.json"
    path.write_text(json.dumps([conversation(1, "task"), conversation(2, "\udc00")]))
    assert f"{path}: cut off, damaged or no JSON after row 1 ('utf-8' codec" in refusal(
        lambda: list(flan.read(FLAN, path))
    )
