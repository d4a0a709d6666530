"""Names in any script are drawn, or it is said which characters no font has."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure

from nearfirst.common.errors import InputError
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot import fonts
from nearfirst.figures.plot.save import write_figure
from nearfirst.figures.plot.style import style

HAN, HANGUL = "漢", "한"


@pytest.fixture
def square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Have one font installed, `Square`, in which two Chinese characters are squares."""
    pen = TTGlyphPen(None)
    for move, *at in (("moveTo", 0, 0), ("lineTo", 0, 900), ("lineTo", 900, 900)):
        getattr(pen, move)(at)
    pen.closePath()
    glyphs = {name: pen.glyph() for name in (".notdef", "han")}
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(list(glyphs))
    font.setupCharacterMap({ord(HAN): "han", ord("字"): "han"})
    font.setupGlyf(glyphs)
    font.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
    font.setupHorizontalHeader(ascent=900, descent=-100)
    font.setupNameTable({"familyName": "Square", "styleName": "Regular", "psName": "Square"})
    font.setupOS2()
    font.setupPost()
    path = tmp_path / "square.ttf"
    font.save(path)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(path)])
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [*font_manager.fontManager.ttflist])
    fonts._installed.cache_clear()
    yield "Square"
    fonts._installed.cache_clear()


def drawn(folder: Path, name: str, font: str | None = None) -> bytes:
    with style(LookSettings(font=font), 1):
        figure = Figure()
        axes = figure.add_subplot()
        axes.set_title(name)
        axes.set_yticks([0, 1], [name, "task"])
    arguments = Namespace(output=folder / "a.pdf", caption=None, picture=folder / "a.svg")
    write_figure(figure, name, arguments)
    return (folder / "a.pdf").read_bytes()


def test_an_installed_font_is_found(
    square: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    assert b"Square" not in drawn(tmp_path, "task")
    content = drawn(tmp_path, f"{HAN}: ü")
    assert b"Square" in content
    assert b"DejaVuSans" in content
    assert drawn(tmp_path, f"{HAN}: ü") == content
    assert not caplog.records
    assert not recwarn.list


def test_what_no_font_has_is_named(
    square: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    drawn(tmp_path, f"{HAN}{HANGUL}\n")
    (record,) = caplog.records
    assert f"no installed font has {HANGUL} (HANGUL)" in record.getMessage()
    assert "look.font" in record.getMessage()
    assert not recwarn.list


def test_a_font_of_the_config(square: str, tmp_path: Path) -> None:
    assert b"Square" in drawn(tmp_path, f"task {HAN}", square)
    with pytest.raises(InputError, match=r"look\.font: no font 'Squares' is installed"):
        drawn(tmp_path, "task", "Squares")
