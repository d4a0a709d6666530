"""Fonts for names in any script: DejaVu, matplotlib's own, lacks Chinese and some others."""

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

OWN = "sans-serif"
SHOWN = 10
"""Characters that a warning names."""


def families(font: str | None) -> list[str]:
    """Return the families of text: the one of `look.font`, then matplotlib's own.

    Raises InputError if no such font is installed.
    """
    if font is None:
        return [OWN]
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    if font not in known:  # matplotlib keeps a list, which may be older than the font
        for found in _installed():
            if found.family == font:
                font_manager.fontManager.addfont(found.path)
                known.add(font)
    if font not in known:
        raise InputError(f"look.font: no font {font!r} is installed; `fc-list : family` lists all")
    return [font, OWN]


def complete(figure: Figure) -> bool:
    """Add installed fonts to the texts of a figure whose own fonts lack a character.

    Characters that no font has are named in a warning. Returns whether all added fonts are of
    TrueType, which a PDF holds as they are.
    """
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    lacking = {text: _lacking(text) for text in texts}
    missing = set().union(*lacking.values()) if lacking else set()
    added: list[str] = []
    are_truetype = True
    while fitting := [font for font in _installed() if missing & _characters(font.path)]:
        best = max(fitting, key=lambda font: (len(missing & _characters(font.path)), font.is_plain))
        font_manager.fontManager.addfont(best.path)
        added.append(best.family)
        are_truetype &= best.path.lower().endswith(".ttf")
        missing -= _characters(best.path)
    for text, its in lacking.items():
        if its:
            text.set_fontfamily([*text.get_fontfamily(), *added])
    if missing:
        signs = sorted(map(chr, missing))
        scripts = sorted({unicodedata.name(sign, "UNKNOWN").partition(" ")[0] for sign in signs})
        logging.warning(
            "no installed font has %s%s (%s): boxes are drawn; install a font of that script, such "
            "as one of Noto's, or name one in look.font",
            *("".join(signs[:SHOWN]), " …" * (len(signs) > SHOWN), ", ".join(scripts)),
        )
    return are_truetype


def _lacking(text: Text) -> set[int]:
    """Return the characters of a text that its fonts lack."""
    signs = {ord(sign) for sign in text.get_text() if sign.isprintable() and not sign.isspace()}
    for family in text.get_fontfamily():
        if signs:
            path = font_manager.findfont(FontProperties(family=[family]))
            signs -= _characters(str(path))
    return signs


@cache
def _characters(path: str) -> frozenset[int]:
    return frozenset(FT2Font(path).get_charmap())


class _Font(NamedTuple):
    path: str
    family: str
    is_plain: bool


@cache
def _installed() -> list[_Font]:
    """Return the installed fonts that are outlines: emoji are often pictures."""
    fonts = []
    for path in sorted(font_manager.findSystemFonts()):
        try:
            font = FT2Font(path)
        except (OSError, RuntimeError):  # damaged, or of a kind that is not read
            continue
        if font.scalable:
            is_plain = font.style_name in ("Regular", "Book", "Roman") and "Sans" in path
            fonts.append(_Font(path, font.family_name, is_plain))
    return fonts
