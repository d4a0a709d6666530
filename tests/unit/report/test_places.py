"""Headings of the report, and captions as reStructuredText."""

import html
import json
import re

import pytest
from docutils.core import publish_parts
from hypothesis import example, given
from hypothesis import strategies as st

from nearfirst.figures.catalogue import FigureSettings
from nearfirst.report.places import PLACES, Made, category, label


def test_every_figure_has_its_place_in_the_order_of_the_paper() -> None:
    # All but that of one's own data.
    assert [name for name in FigureSettings.model_fields if name != "fig4_mine"] == list(PLACES)
    numbered = [name for name in PLACES if name.startswith("fig")]
    headings = [category(name) for name in numbered]
    assert headings == sorted(headings), "sorted as text, 2 comes before 10"
    assert len({(category(name), label(name)) for name in PLACES}) == len(PLACES)
    # The page makes links of headings, in which a colon would end the name.
    assert not [heading for heading in headings if ":" in heading]


def test_own_data_have_a_heading_of_their_own() -> None:
    assert category("fig4_mine") == category("explore_mine") == "Your data"
    assert label("explore_mine") == "explore_mine"


WORD = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


@given(words=st.lists(WORD, min_size=1, max_size=5))
@example(words=["*a*", "`b`", "c_", "|d|", "::", "..", "1.", "\\", "-", "[e]_", ":f:"])
def test_captions_are_shown_as_they_are(
    words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "caption.txt"
    path.write_text("\n".join(words), encoding="utf-8")
    shown = publish_parts(Made({}).text(str(path)), writer="html")["body"]
    text = html.unescape(re.sub("<[^>]*>", "", shown))
    assert text.split() == words


def test_what_it_was_made_with_is_text_of_the_command_and_no_recorded_value() -> None:
    made = Made({"seeds": [0], "train": {"steps": 3}})
    assert json.loads(str(made)) == {"seeds": [0], "train": {"steps": 3}}
    assert not isinstance(made, str | dict | list)
