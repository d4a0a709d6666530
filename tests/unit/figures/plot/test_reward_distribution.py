"""The figure of rewards: what is drawn, and what it says in words."""

from functools import cache

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from runs import some_answers
from texts import assert_readable

from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.reward_distribution import draw, facts, sentences
from nearfirst.figures.reward_distribution import distribution
from nearfirst.figures.settings import DistributionSettings

LOOK = LookSettings()


CASES = {
    "usual": some_answers(),
    "few": some_answers(lambda one: one < 7),
    "none": some_answers(lambda one: False),
    "all": some_answers(lambda one: True),
    "equal": some_answers().assign(
        reward=lambda table: table["reward"].where(~table["right"], 1.5)
    ),
    "many": some_answers(lambda one: one % 2 == 1, 2000, 5),
}


@cache
def table_of(case: str) -> pd.DataFrame:
    return distribution(CASES[case], DistributionSettings(resamples=100), 3)


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def title(figure: Figure) -> str:
    return figure.legends[0].get_title().get_text().replace("\n", " ")


def test_histograms_and_densities() -> None:
    table = table_of("usual")
    figure = draw(table, LOOK)
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
    value, low, high = table.loc[table["what"] == "auc", ["value", "low", "high"]].iloc[0]
    auc = f"AUC {value:.2f} (95% interval {low:.2f} to {high:.2f})"
    assert title(figure).startswith("overlap 0.")
    assert title(figure).endswith(auc)
    text = " ".join(facts(table))
    assert "300 answers of 2 runs at 3 checkpoints to 50 test instances; 3 instances" in text
    assert auc in text


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("few", "no density of 7 right answers to 7 prompts: it needs 20 answers to 5 prompts"),
        ("equal", "no density of 100 right answers to 50 prompts"),
        ("none", "no density of 0 right answers to 0 prompts"),
        ("all", "no density of 0 wrong answers to 0 prompts"),
    ],
)
def test_the_figure_says_why_there_is_no_density(case: str, reason: str) -> None:
    table = table_of(case)
    assert sentences(table)[-1].startswith(reason)
    assert "overlap" not in " ".join(sentences(table))
    figure = draw(table, LOOK)
    assert reason in title(figure)
    assert len(figure.axes[0].lines) == 1
    assert len(figure.axes[0].patches) == len(legend(figure)) == 2 - (case in ("none", "all"))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("look", [LOOK, LookSettings(width=3.0, font_size=11)])
def test_all_text_can_be_read(case: str, look: LookSettings) -> None:
    figure = draw(table_of(case), look)
    assert_readable(figure)
    assert figure.axes[0].get_window_extent().height > 0.6 * look.height * figure.dpi
