"""The program that draws: tables it refuses, and that it writes all or nothing."""

from pathlib import Path

import pytest
from programs import Program
from runs import figure

from nearfirst.common.errors import InputError
from nearfirst.figures.plot.table import read

POINT = "RT,0,1,1,1,3,0.95\n"
ROW = figure("arrangements", "RT", reference="RT", dataset="mine")
HEAD = "arrangement,step,mean,low,high,n,confidence\n"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (HEAD, "no rows"),
        ("", "not a whole CSV file"),
        (HEAD + 'RT,"0', "not a whole CSV file"),
        (HEAD + POINT.replace("0,1", "0,low"), "not a whole CSV file"),
    ],
)
def test_tables_that_cannot_be_drawn(tmp_path: Path, content: str, named: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(content)
    with pytest.raises(InputError, match=f"^{table}: {named}"):
        read(table)


def test_a_task_may_be_called_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEAD + POINT.replace("RT", "none") + POINT.replace("RT", "NA"))
    assert list(read(tmp_path / "t.csv")["arrangement"]) == ["none", "NA"]


def test_equal_data_give_equal_bytes(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.csv").write_text(HEAD + POINT + POINT.replace("0,", "10,", 1))
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        flags = [tmp_path / "mine.csv", "--figure", ROW, "--output", tmp_path / f"{seed}.pdf"]
        flags += ["--picture", tmp_path / f"{seed}.svg", "--record", tmp_path / f"{seed}.yaml"]
        flags += ["--config", '{"seeds": [0], "train": {"steps": 3}}']
        done = program("plot.py", *flags, "--caption", tmp_path / f"{seed}.caption")
        assert (done.returncode, done.stderr) == (0, "")
    content = (tmp_path / "1.pdf").read_bytes()
    assert content == (tmp_path / "2.pdf").read_bytes()
    assert b"Date" not in content
    assert (tmp_path / "1.yaml").read_text() == "seeds: [0]\ntrain: {steps: 3}\n"
    picture = (tmp_path / "1.svg").read_bytes()
    assert picture == (tmp_path / "2.svg").read_bytes()
    assert b"<svg" in picture
    assert b"<dc:date>" not in picture
    caption = (tmp_path / "1.caption").read_text()
    assert caption == (tmp_path / "2.caption").read_text()
    assert caption.startswith("Mean test loss on mine with the training data in different orders.")
    assert max(map(len, caption.splitlines())) <= 90
    assert caption.count("\n") > 1
    assert f"/Subject ({' '.join(caption.split())})".encode() in content


def test_without_a_caption_there_is_no_figure(program: Program, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEAD + POINT)
    (tmp_path / "folder").mkdir()
    before = set(tmp_path.iterdir())
    flags = [tmp_path / "t.csv", "--figure", ROW, "--output", tmp_path / "t.pdf"]
    done = program("plot.py", *flags, "--caption", tmp_path / "folder")
    assert done.returncode == 1
    assert set(tmp_path.iterdir()) == before
