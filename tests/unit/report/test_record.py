"""Captions as reStructuredText, and the config of a figure as a parameter."""

import html
import json
import re

import pytest
from docutils.core import publish_parts
from hypothesis import example, given
from hypothesis import strategies as st

from nearfirst.report.record import Record

WORD = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


@given(words=st.lists(WORD, min_size=1, max_size=5))
@example(words=["*a*", "`b`", "c_", "|d|", "::", "..", "1.", "\\", "-", "[e]_", ":f:"])
def test_captions_are_shown_as_they_are(
    words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "caption.txt"
    path.write_text("\n".join(words), encoding="utf-8")
    shown = publish_parts(Record({}).text(str(path)), writer="html")["body"]
    text = html.unescape(re.sub("<[^>]*>", "", shown))
    assert text.split() == words


def test_the_config_is_json_in_an_object_that_snakemake_does_not_record() -> None:
    config = {"seeds": [0], "train": {"steps": 3}}
    assert json.loads(str(Record(config))) == config
    assert not isinstance(Record(config), str | dict | list)
