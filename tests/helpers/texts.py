"""A check that all text of a figure can be read."""

from itertools import combinations

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text


def assert_readable(figure: Figure) -> list[str]:
    """Check that no text of a figure is cut off or covers another; return the texts."""
    boxes = {}
    draw = Text.draw

    def record(text: Text, *arguments: object) -> None:
        # Only text that is drawn: a figure also has tick labels outside its axes.
        if text.get_visible() and text.get_text().strip():
            boxes[text.get_text(), id(text)] = text.get_window_extent()
        draw(text, *arguments)

    figure.draw_without_rendering()  # the layout is that of the second drawing on
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", record)
        figure.draw_without_rendering()
    drawn = [(text, box) for (text, _), box in boxes.items()]
    assert len(drawn) > 8
    for text, box in drawn:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, text
    for (text, box), (other, other_box) in combinations(drawn, 2):
        assert not box.padded(-1).overlaps(other_box.padded(-1)), f"{text!r} covers {other!r}"
    return [text for text, _ in drawn]
