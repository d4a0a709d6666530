"""The figure of rewards: what is drawn, what it says in words, and tables it refuses."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from nearfirst.common.errors import InputError
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.reward_distribution import draw_distribution
from nearfirst.figures.plot.reward_distribution_table import facts, read_distribution, sentences
from nearfirst.figures.reward_distribution import distribution
from nearfirst.figures.settings import DistributionSettings

LOOK = LookSettings()
Made = Callable[..., pd.DataFrame]


def some_answers(right: Any, instances: int = 50, seeds: int = 2) -> pd.DataFrame:
    """Make answers at 3 checkpoints; `right` says for a number of an answer whether it is."""
    count = 3 * instances * seeds
    number = np.arange(count)
    is_right = np.array([right(one) for one in number])
    reward = np.random.default_rng(0).normal(size=count) + is_right
    columns = {
        "seed": number // (3 * instances),
        "step": number // instances % 3,
        "id": [f"id-{one % instances}" for one in number],
        "right": is_right,
        "reward": reward,
    }
    return pd.DataFrame(columns)


CASES = {
    "usual": some_answers(lambda one: one % 3 == 1),
    "few": some_answers(lambda one: one < 7),
    "single": some_answers(lambda one: one == 7),
    "few prompts": some_answers(lambda one: one % 50 < 4),
    "few prompts and answers": some_answers(lambda one: one in (1, 2, 52)),
    "none": some_answers(lambda one: False),
    "all": some_answers(lambda one: True),
    "equal": some_answers(lambda one: one % 3 == 1).assign(
        reward=lambda table: table["reward"].where(~table["right"], 1.5)
    ),
    "many": some_answers(lambda one: one % 2 == 1, 2000, 5),
}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Make the table of a case, and read it back."""

    def made(case: str) -> pd.DataFrame:
        table = distribution(CASES[case], DistributionSettings(resamples=100), 3)
        table.to_csv(tmp_path / "t.csv", index=False, float_format="%.6g")
        return read_distribution(tmp_path / "t.csv")

    return made


def number(table: pd.DataFrame, what: str, column: str = "value") -> str:
    return f"{table.loc[table['what'] == what, column].iloc[0]:.2f}"


def interval(table: pd.DataFrame, what: str) -> str:
    bounds = f"{number(table, what, 'low')} to {number(table, what, 'high')}"
    return f"{number(table, what)} (95% interval {bounds})"


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def title(figure: Figure) -> str:
    return figure.legends[0].get_title().get_text().replace("\n", " ")


def test_histograms_and_densities(made: Made) -> None:
    table = made("usual")
    figure = draw_distribution(table, LOOK)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Reward of an answer", "Density")
    right, wrong = (patch for patch in axes.patches if isinstance(patch, StepPatch))
    for patch, line, group in zip((right, wrong), axes.lines, ("right", "wrong"), strict=True):
        bars, curve = (
            table[(table["group"] == group) & (table["what"] == what)]
            for what in ("histogram", "density")
        )
        values, edges, _ = patch.get_data()
        assert list(values) == list(bars["value"])
        assert list(edges[:-1]) == list(bars["x"])
        assert edges[-1] == pytest.approx(
            table.loc[table["what"] == "histogram", "x"].max() + bars["width"].iloc[0]
        )
        assert list(line.get_xdata()) == list(curve["x"])
        assert list(line.get_ydata()) == list(curve["value"])
    # They differ in grey.
    assert (right.get_fill(), wrong.get_fill()) == (True, False)
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]
    assert legend(figure) == ["100 right answers to 50 prompts", "200 wrong answers to 50 prompts"]
    assert title(figure) == f"overlap {interval(table, 'overlap')} AUC {interval(table, 'auc')}"


@pytest.mark.parametrize(
    ("case", "said", "entries", "lines"),
    [
        (
            "few",
            "7 right answers to 7 prompts: too few for a density "
            "(at least 20 answers to 5 prompts)",
            ["7 right answers to 7 prompts", "293 wrong answers to 50 prompts"],
            1,
        ),
        (
            "single",
            "1 right answer to 1 prompt: too few for a density and for intervals "
            "(at least 20 answers to 5 prompts)",
            ["1 right answer to 1 prompt", "299 wrong answers to 50 prompts"],
            1,
        ),
        (
            "few prompts",
            "24 right answers to 4 prompts: too few for a density and for intervals "
            "(at least 20 answers to 5 prompts)",
            ["24 right answers to 4 prompts", "276 wrong answers to 46 prompts"],
            1,
        ),
        (
            "equal",
            "all right answers have the same reward: no density",
            ["100 right answers to 50 prompts", "200 wrong answers to 50 prompts"],
            1,
        ),
        ("none", "no right answers: nothing to compare", ["300 wrong answers to 50 prompts"], 1),
        ("all", "no wrong answers: nothing to compare", ["300 right answers to 50 prompts"], 1),
    ],
)
def test_the_figure_says_why_there_is_no_density(
    made: Made, case: str, said: str, entries: list[str], lines: int
) -> None:
    table = made(case)
    assert "overlap" not in " ".join(sentences(table))
    figure = draw_distribution(table, LOOK)
    assert title(figure).endswith(said)
    assert legend(figure) == entries
    assert len(figure.axes[0].lines) == lines
    assert len(figure.axes[0].patches) == len(entries)
    first = sentences(table)[0]
    if case in ("none", "all"):
        assert first == said
    elif "intervals" in said:
        assert first == f"AUC {number(table, 'auc')}"
    else:
        assert first == f"AUC {interval(table, 'auc')}"


def test_what_a_caption_says(made: Made) -> None:
    table = made("usual")
    assert facts(table) == [
        "Answers: 300, of 2 runs at 3 checkpoints to 50 test instances. Left out, having no score "
        "or no reward: 3 instances.",
        f"Overlap {interval(table, 'overlap')}.",
        f"AUC {interval(table, 'auc')}.",
    ]
    assert facts(made("none"))[1:] == ["No right answers: nothing to compare."]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("look", [LOOK, LookSettings(width=3.0, font_size=11)])
def test_no_text_is_cut_off_or_covers_another(
    made: Made, case: str, look: LookSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = draw_distribution(made(case), look)
    boxes = {}
    draw = Text.draw

    def record(text: Text, *arguments: object) -> None:
        if text.get_visible() and text.get_text().strip():
            boxes[text.get_text(), id(text)] = text.get_window_extent()
        draw(text, *arguments)

    figure.savefig(io.BytesIO(), format="png")
    monkeypatch.setattr(Text, "draw", record)
    figure.savefig(io.BytesIO(), format="png")
    found = [(text, box) for (text, _), box in boxes.items()]
    assert len(found) > 8
    for place, (text, box) in enumerate(found):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, text
        for other, its in found[:place]:
            assert not box.padded(-1).overlaps(its.padded(-1)), f"{text!r} covers {other!r}"
    panel = figure.axes[0].get_window_extent()
    assert panel.height > 0.6 * look.height * figure.dpi


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.drop(columns="width"), "column 'width' is missing"),
        (lambda t: t[t["what"] != "auc"], "the row of both 'auc' is missing"),
        (
            lambda t: t[~((t["group"] == "right") & (t["what"] == "count"))],
            "the row of right 'count' is",
        ),
        (lambda t: pd.concat([t, t[t["what"] == "auc"]]), "'auc' of both stands twice"),
        (
            lambda t: t.assign(value=t["value"].where(t["what"] != "density")),
            r"'density' of right at -?\d.* is no number",
        ),
        (lambda t: t.assign(value=t["value"].where(t["what"] != "seeds")), "'seeds' of both is no"),
        (lambda t: t.assign(n="many"), "not a whole CSV file"),
    ],
)
def test_tables_that_cannot_be_drawn(
    made: Made, tmp_path: Path, edit: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    path = tmp_path / "bad.csv"
    edit(made("usual")).to_csv(path, index=False)
    with pytest.raises(InputError, match=rf"bad\.csv: {message}"):
        read_distribution(path)
