"""The metrics of a checkpoint, by the names that the config and the tables use.

Stages that train, generate or score rewards must not import this module: a new metric would rerun
them.
"""

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field


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
    better
        `lower` or `higher`; empty where it is not known.
    """

    stage: str
    name: str
    scale: float = 1.0
    quantity: str = "loss"
    limits: tuple[float, float] = (-inf, inf)
    better: Literal["lower", "higher", ""] = "higher"


def score(name: str) -> Metric:
    """Return a score of answers, computed by the function `KEY` of the module `score/KEY.py`."""
    return Metric("scores", name, 100.0, "score", (0.0, 100.0))


HARNESS = "lm_eval:"
"""What names of metrics of lm-evaluation-harness begin with: `lm_eval:TASK`, its first metric, or
`lm_eval:TASK:METRIC`."""


class _Metrics(dict[str, Metric]):
    """The metrics by name, and those of lm-evaluation-harness, whose names are without number."""

    def __missing__(self, name: str) -> Metric:
        if not name.startswith(HARNESS):
            raise KeyError(name)
        task, *metric = name.removeprefix(HARNESS).split(":")
        words = f"{metric[0]} of {task}" if metric else task
        return Metric(f"lm_eval/{task}", words, quantity=name, better="")


METRICS = _Metrics(
    {
        "loss": Metric("losses", "loss", better="lower"),
        "rouge1": score("ROUGE-1"),
        "rougeL": score("ROUGE-L"),
        "exact_match": score("Exact Match"),
        "reward": Metric("rewards", "reward", 1.0, "reward"),
    }
)
SCORE_NAMES = {key: metric.name for key, metric in METRICS.items() if metric.stage == "scores"}
"""Scores of answers against references (Section A.4), in the order of their columns."""

if TYPE_CHECKING:
    MetricName = str
else:  # the config accepts these names and no other
    MetricName = (
        Literal[tuple(METRICS)]
        | Annotated[str, Field(pattern=rf"^{HARNESS}[A-Za-z0-9][\w.+-]*(:[\w.+,-]+)?$")]
    )
