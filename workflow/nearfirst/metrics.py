"""The metrics of a checkpoint, by the names that the config and the tables use.

Stages that train, generate or score rewards must not import this module: a new metric would rerun
them.
"""

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True)
class Metric:
    """One metric of an instance at a checkpoint.

    Attributes
    ----------
    stage
        The folder of `results/` whose tables hold it, in a column named like its key in `METRICS`.
    name
        Its name in captions, axes and legends.
    scale
        Factor from tables to figures: scores are 0 to 1 in tables and 0 to 100 in figures.
    quantity
        The name of the axis where several metrics share one.
    limits
        Smallest and largest possible value in figures; intervals are cut there.
    """

    stage: Literal["losses", "scores", "rewards"]
    name: str
    scale: float = 1.0
    quantity: str = "loss"
    limits: tuple[float, float] = (-inf, inf)


def score(name: str) -> Metric:
    """Return a score of answers, computed by the function `KEY` of the module `score/KEY.py`."""
    return Metric("scores", name, 100.0, "score", (0.0, 100.0))


METRICS: dict[str, Metric] = {
    "loss": Metric("losses", "loss"),
    "rouge1": score("ROUGE-1"),
    "rougeL": score("ROUGE-L"),
    "exact_match": score("Exact Match"),
    "reward": Metric("rewards", "reward", 1.0, "reward"),
}
SCORE_NAMES = {key: metric.name for key, metric in METRICS.items() if metric.stage == "scores"}
"""Scores of answers against references (Section A.4), in the order of their columns."""

if TYPE_CHECKING:
    MetricName = str
else:  # the config accepts these names and no other
    MetricName = Literal[tuple(METRICS)]
