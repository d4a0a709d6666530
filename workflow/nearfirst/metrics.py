"""The metrics of a checkpoint, by the names that the config and the tables use."""

from dataclasses import dataclass
from math import inf
from typing import Literal

MetricName = Literal["loss", "rouge1", "rougeL", "exact_match", "reward"]


@dataclass(frozen=True)
class Metric:
    """One metric of an instance at a checkpoint.

    Attributes
    ----------
    stage
        The folder of `results/` whose tables have it, as a column of its key in `METRICS`.
    name
        What captions, axes and legends call it.
    scale
        What means are multiplied by in curves: scores are shown from 0 to 100.
    quantity
        What a curve of it shows, where it shares an axis with others.
    limits
        Least and greatest mean there can be, in the units of curves: no interval goes beyond.
    """

    stage: Literal["losses", "scores", "rewards"]
    name: str
    scale: float = 1.0
    quantity: str = "loss"
    limits: tuple[float, float] = (-inf, inf)


def _score(name: str) -> Metric:
    return Metric("scores", name, 100.0, "score", (0.0, 100.0))


METRICS: dict[MetricName, Metric] = {
    "loss": Metric("losses", "loss"),
    "rouge1": _score("ROUGE-1"),
    "rougeL": _score("ROUGE-L"),
    "exact_match": _score("Exact Match"),
    "reward": Metric("rewards", "reward", 1.0, "reward"),
}
SCORE_NAMES: dict[str, str] = {
    key: metric.name for key, metric in METRICS.items() if metric.stage == "scores"
}
