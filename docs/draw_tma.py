"""Draw docs/tma.png: the rounds of Test-centric Multi-turn Arrangement on points of a plane."""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nearfirst import tma

FIGURE = Path(__file__).parent / "tma.png"

Points = npt.NDArray[np.float64]


def points() -> tuple[Points, Points]:
    """Return 44 training points, none too close to another, and 3 test points."""
    generator = np.random.default_rng(5)
    test = np.array([[1.9, 3.3], [2.9, 2.6], [7.4, 1.5]])
    train: list[Points] = []
    while len(train) < 44:
        point = generator.uniform((0, 0), (9, 5))
        if all(np.linalg.norm(point - other) > 0.52 for other in [*train, *test]):
            train.append(point)
    return np.array(train), test


def draw(to: Path = FIGURE) -> None:
    """Write the figure; the same bytes each time."""
    train, test = points()
    rounds = tma(train, test, measure="euclidean")
    with mpl.rc_context({"font.size": 9, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(7.2, 4.1), layout="constrained")
        axes = figure.subplots()
        _links(axes, train, test)
        _pool(axes, train, rounds)
        axes.scatter(*test.T, s=260, marker="*", color="#D55E00", edgecolor="black", zorder=4)
        axes.set(xlim=(-0.4, 9.4), ylim=(-0.4, 5.4), aspect="equal")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        figure.savefig(to, dpi=150, metadata={"Software": None})


def _links(axes: Axes, train: Points, test: Points) -> None:
    """Draw which training point each test point takes first: the points of round 1."""
    for star in test:
        first = train[np.linalg.norm(train - star, axis=1).argmin()]
        axes.plot(*np.array([star, first]).T, color="black", linewidth=1.2, zorder=1)


def _pool(axes: Axes, train: Points, rounds: npt.NDArray[np.int32]) -> None:
    """Draw each training point as its round: the earlier, the darker."""
    shades = mpl.colormaps["cividis"](0.05 + 0.95 * (rounds - 1) / (rounds.max() - 1))
    axes.scatter(*train.T, s=190, color=shades, edgecolor="black", linewidth=0.6, zorder=2)
    for (x, y), number, shade in zip(train, rounds, shades, strict=True):
        dark = np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.5
        ink = "white" if dark else "black"
        axes.text(x, y, str(number), color=ink, ha="center", va="center", fontsize=8, zorder=3)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURE)
