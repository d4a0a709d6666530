"""Fonts for names in any script: matplotlib's DejaVu lacks Chinese and some others."""

import logging
import unicodedata
from functools import cache
from typing import NamedTuple

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from nearfirst.common.errors import InputError

DEFAULT = "sans-serif"
MAX_LISTED = 10
"""Maximum number of characters that a warning lists."""


def families(font: str | None) -> list[str]:
    """Return the font families of text: that of `look.font`, then matplotlib's default.

    Raises InputError if the font is not installed.
    """
    if font is None:
        return [DEFAULT]
    manager = font_manager.fontManager
    # Matplotlib caches its list, which may be older than the font.
    if font not in {entry.name for entry in manager.ttflist}:
        paths = [installed.path for installed in _installed() if installed.family == font]
        if not paths:
            raise InputError(
                f"look.font: no font {font!r} is installed; `fc-list : family` lists all"
            )
        for path in paths:
            manager.addfont(path)
    return [font, DEFAULT]


def complete(figure: Figure) -> bool:
    """Add installed fonts to texts of a figure whose fonts lack a character.

    A warning lists the characters that no font has. Returns whether all added fonts are TrueType,
    which a PDF can embed unchanged.
    """
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    lacking = {text: codes for text in texts if (codes := _missing_characters(text))}
    missing: set[int] = set().union(*lacking.values())
    added: list[str] = []
    are_truetype = True
    while usable := [font for font in _installed() if missing & _characters(font.path)]:
        best = max(usable, key=lambda font: (len(missing & _characters(font.path)), font.is_plain))
        font_manager.fontManager.addfont(best.path)
        added.append(best.family)
        are_truetype &= best.path.lower().endswith(".ttf")
        missing -= _characters(best.path)
    for text in lacking:
        text.set_fontfamily([*text.get_fontfamily(), *added])
    if missing:
        chars = sorted(map(chr, missing))
        scripts = sorted({unicodedata.name(char, "UNKNOWN").partition(" ")[0] for char in chars})
        logging.warning(
            "no installed font has %s%s (%s): boxes are drawn; install a font for that script, "
            "such as one of Noto's, or name one in look.font",
            *("".join(chars[:MAX_LISTED]), " …" * (len(chars) > MAX_LISTED), ", ".join(scripts)),
        )
    return are_truetype


def _missing_characters(text: Text) -> set[int]:
    """Return the characters of a text that its fonts lack."""
    chars = {ord(char) for char in text.get_text() if char.isprintable() and not char.isspace()}
    for family in text.get_fontfamily():
        if chars:
            path = font_manager.findfont(FontProperties(family=[family]))
            chars -= _characters(str(path))
    return chars


@cache
def _characters(path: str) -> frozenset[int]:
    return frozenset(FT2Font(path).get_charmap())


class _Font(NamedTuple):
    path: str
    family: str
    is_plain: bool


@cache
def _installed() -> list[_Font]:
    """Return the installed outline fonts, without bitmap fonts, which emoji often are."""
    fonts = []
    for path in sorted(font_manager.findSystemFonts()):
        try:
            font = FT2Font(path)
        except (OSError, RuntimeError):  # damaged, or not a supported format
            continue
        if font.scalable:
            is_plain = font.style_name in ("Regular", "Book", "Roman") and "Sans" in path
            fonts.append(_Font(path, font.family_name, is_plain))
    return fonts
