"""Curves and correlations: what is drawn of a table, its labels, and that they can be read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from texts import assert_readable

from nearfirst.distance.settings import MEASURES
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot import correlations as plot_of_correlations
from nearfirst.figures.plot.curves import draw as draw_curves
from nearfirst.figures.plot.style import numbered_style, wrapped

LOOK = LookSettings()
LONG = "task511_reddit_tifu_long_text_summarization_of_what_happened"


def points(start: float = 4.0, steps: Sequence[int] = (0, 10, 20), n: int = 3, **cells: str) -> Any:
    """Return the points of one curve, which falls by 1 a step of the table."""
    mean = start - np.arange(len(steps), dtype=float)
    reach = 0.25 if n > 1 else np.nan
    table = pd.DataFrame(
        {"step": steps, "mean": mean, "low": mean - reach, "high": mean + reach, "n": n}
    )
    return table.assign(**{"confidence": 0.95, "panel": "", "quantity": "loss", **cells})


def test_more_curves_than_colours_differ() -> None:
    assert len({str(numbered_style(LOOK, place)) for place in range(24)}) == 24


def drawn(*curves: pd.DataFrame, series: str = "arrangement", look: Any = LOOK) -> Figure:
    return draw_curves(pd.concat(curves, ignore_index=True), look, series)


def cells(figure: Figure) -> list[Axes]:
    """Return the left axes of a figure's panels."""
    first = {axes.get_subplotspec(): axes for axes in reversed(figure.axes)}
    return [axes for axes in figure.axes if first[axes.get_subplotspec()] is axes]


def texts(legend: Any) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in legend.get_texts()]


def bands(axes: Axes) -> int:
    return sum(any(len(path.vertices) for path in band.get_paths()) for band in axes.collections)


def looks(axes: Axes) -> list[tuple[object, ...]]:
    return [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in axes.lines]


def test_one_panel() -> None:
    figure = drawn(points(arrangement="NFT"), points(5, n=1, arrangement="own").iloc[::-1])
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == (LOOK.x_label, LOOK.y_label)
    assert axes.get_title() == ""
    assert figure.get_figwidth() == LOOK.width
    assert [list(line.get_ydata()) for line in axes.lines] == [[4, 3, 2], [5, 4, 3]]
    assert looks(axes) == [("#0072B2", "-", "o"), ("#000000", "--", "s")]
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (1.75, 4.25)
    assert bands(axes) == 1
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "mean of 3 seeds, 95% interval"
    assert texts(legend) == ["nearest first (NFT)", "own, one run"]
    # It stands above the panel, for which the figure is taller.
    assert axes.get_legend() is None
    assert figure.get_figheight() > LOOK.height


def test_one_seed_has_no_interval() -> None:
    figure = drawn(points(n=1, arrangement="NFT"))
    assert bands(figure.axes[0]) == 0
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "one seed"
    assert texts(legend) == ["nearest first (NFT)"]


def test_labels_in_other_scripts_cause_no_warning_before_fonts_are_looked_for(
    recwarn: pytest.WarningsRecorder,
) -> None:
    drawn(points(arrangement="\N{CJK UNIFIED IDEOGRAPH-6771}"))
    assert not recwarn.list


def test_single_runs_are_thin_lines_in_place_of_bands() -> None:
    runs = points(arrangement="cluster").assign(low=-40.0, high=40.0, seed_0=[7, 6, 1], seed_1=3.0)
    alone = points(arrangement="one", n=1).assign(seed_0=points()["mean"])
    figure = drawn(runs, alone)
    (axes,) = figure.axes
    widths = [line.get_linewidth() for line in axes.lines]
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [[7, 6, 1], [3, 3, 3]]
    assert len(widths) == 4, "a single run is its own mean"
    assert max(widths[:2]) < min(widths[2:])
    assert bands(axes) == 0
    assert -1 < axes.get_ylim()[0] < 1
    assert 7 < axes.get_ylim()[1] < 8
    assert figure.legends[0].get_title().get_text() == "mean of 3 seeds (thin: single runs)"


def test_an_arrangement_looks_the_same_in_all_figures() -> None:
    def styles(*labels: str, look: LookSettings = LOOK) -> list[tuple[object, ...]]:
        return looks(drawn(*(points(arrangement=label) for label in labels), look=look).axes[0])

    nft, rt, fft = styles("NFT", "RT", "FFT")
    assert styles("FFT", "random") == [fft, rt]
    # Labels without a reserved style take free ones.
    assert styles("own", "RT", "mine") == [nft, rt, fft]
    assert styles("own", look=LookSettings(places={"own": 2})) == [fft]
    named = ("NFT", "RT", "FFT", "round-robin", "cluster", "MAX", "MIN", "coarse")
    assert len(set(styles(*named))) == len(named)


def test_panels_of_one_quantity_share_their_axis() -> None:
    curves = [points(i, arrangement="RT", panel=f"seed {i}", task="t") for i in (4, 9)]
    one, two = drawn(*curves).axes
    assert one.get_ylim() == two.get_ylim()
    assert one.get_ylim()[0] < 2 < 9 < one.get_ylim()[1]
    one, two = drawn(curves[0], curves[1].assign(task="u")).axes
    assert one.get_ylim() != two.get_ylim()


@pytest.mark.parametrize(
    ("count", "rows", "columns"),
    [(2, 1, 2), (4, 2, 2), (5, 2, 3), (8, 3, 3), (10, 4, 3)],
)
def test_grid_of_panels(count: int, rows: int, columns: int) -> None:
    names = [f"task{9 - i}" for i in range(count)]
    figure = drawn(*(points(arrangement="RT", panel=name) for name in names))
    assert [axes.get_title() for axes in figure.axes] == names
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (rows, columns)
    named = [bool(axes.get_ylabel()) for axes in figure.axes]
    assert named == [i % columns == 0 for i in range(count)]
    assert figure.get_figwidth() == columns * LOOK.panel_width <= 8
    assert figure.get_supxlabel() == LOOK.x_label
    assert [texts(legend) for legend in figure.legends] == [["random (RT)"]]
    assert not any(axes.get_legend() for axes in figure.axes)


def test_panels_with_different_curves_have_their_own_legends() -> None:
    named = [("x", "NIV2: slow"), ("y", "NIV2: slow"), (LONG, "P3: slow")]
    figure = drawn(*(points(task=task, panel=panel) for task, panel in named), series="task")
    first, second = figure.axes
    assert texts(first.get_legend()) == ["x", "y"]
    assert texts(second.get_legend())[0].replace(" ", "") == LONG
    assert looks(second) == looks(first)[:1]
    (heading,) = figure.legends
    assert heading.get_title().get_text() == "mean of 3 seeds, 95% interval"
    assert texts(heading) == []


def test_loss_on_the_left_and_distances_on_the_right() -> None:
    quantities = ["cosine-min", "loss", "scaled-cosine-avg"]
    curves = [
        points(i, arrangement="cluster", panel=panel, quantity=quantity)
        for panel in ("specialist-0", "specialist-1")
        for i, quantity in enumerate(quantities)
    ]
    figure = drawn(*curves)
    left = cells(figure)
    right = [axes for axes in figure.axes if axes not in left]
    for loss, distance in zip(left, right, strict=True):
        assert [list(line.get_ydata()) for line in loss.lines] == [[1, 0, -1]]
        assert [list(line.get_ydata()) for line in distance.lines] == [[0, -1, -2], [2, 1, 0]]
        assert looks(loss) == [("#CC79A7", "--", "v")]
        assert not set(looks(loss)) & set(looks(distance))
    assert [axes.get_ylabel().replace("\n", " ") for axes in left] == [LOOK.y_label, ""]
    assert [axes.get_ylabel() for axes in right] == ["", "Similarity distance"]
    (legend,) = figure.legends
    right_texts = ["Cosine min (right axis)", "Scaled cosine avg (right axis)"]
    assert texts(legend) == ["loss (left axis)", *right_texts]


def correlations(*undefined: str) -> pd.DataFrame:
    rows = [
        (measure, statistic, *((np.nan,) * 3 if measure in undefined else (0.5, 0.2, 0.75)), 16)
        for measure in MEASURES
        for statistic in ("pooled", "over checkpoints", "over tasks")
    ]
    columns = ["measure", "statistic", "mean", "low", "high", "n"]
    counts = {"runs": 9, "checkpoints": 19, "left_out": 4}
    return pd.DataFrame(rows, columns=columns).assign(confidence=0.9, **counts)


def test_correlations() -> None:
    figure = plot_of_correlations.draw(correlations("euclidean-max"), LOOK)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["pooled", "over checkpoints", "over tasks"]
    assert figure.get_supxlabel() == "Spearman rank correlation with loss (90% interval)"
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [LOOK.quantities[measure] for measure in MEASURES]
    for axes in figure.axes:
        zero, dots = axes.lines
        assert list(zero.get_xdata()) == [0, 0]
        undefined = MEASURES.index("euclidean-max")
        expected = [np.nan if row == undefined else 0.5 for row in range(9)]
        np.testing.assert_array_equal(dots.get_xdata(), expected)
        bars = [segment for segment in axes.collections[0].get_segments() if len(segment)]
        assert {tuple(bar[:, 0]) for bar in bars if not np.isnan(bar).any()} == {(0.2, 0.75)}
        assert [(text.get_text(), text.xy[1]) for text in axes.texts] == [("undefined", undefined)]
        top, bottom = axes.transData.transform([(0, 0), (0, 8)])[:, 1]
        assert top > bottom
    assert_readable(figure)


@pytest.mark.parametrize(
    "curves",
    [
        [(series, m, m) for m in ["loss", *MEASURES] for series in "ab"],
        [("cluster", f"{LONG}{i}", m) for i in "012" for m in ("loss", *MEASURES[:2])],
        [(f"{LONG}_{i}", str(i // 3), "loss") for i in range(12)],
        [(f"[{i},{i + 5})", "", "loss") for i in range(0, 30, 5)],
        [(LONG * 2 + r"$\frac$", LONG * 2, "loss")],
    ],
    ids=["ten", "both", "own", "many", "long"],
)
def test_much_text_can_be_read(curves: list[tuple[str, str, str]]) -> None:
    assert_readable(drawn(*(points(arrangement=a, panel=p, quantity=q) for a, p, q in curves)))


@given(st.text("ab_- ", max_size=60), st.floats(0.1, 3), st.sampled_from([7.0, 9.0]))
def test_wrapping_loses_nothing(text: str, inches: float, size: float) -> None:
    lines = wrapped(text, inches, size).split("\n")
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(len, lines)) <= max(8, inches * 72 / (0.58 * size))


def test_lines_are_even() -> None:
    assert wrapped("Mean test loss (nats per token)", 1.76, 8) == "Mean test loss\n(nats per token)"
    assert wrapped("task851_synthetic_multiply", 1.5, 8) == "task851_synthetic_\nmultiply"
