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
    """One metric of an instance at a checkpoint."""

    stage: str
    """The folder of `results/` whose tables hold it, in a column named after its key in METRICS."""
    name: str
    """Its name in captions, axes and legends."""
    scale: float = 1.0
    """Factor from tables to figures: scores are 0 to 1 in tables and 0 to 100 in figures."""
    quantity: str = "loss"
    """The label of an axis that several metrics share."""
    limits: tuple[float, float] = (-inf, inf)
    """Smallest and largest possible value in figures; intervals are clipped there."""
    better: Literal["lower", "higher", ""] = "higher"
    """Empty if unknown."""


def score(name: str) -> Metric:
    """Return a score of answers that the function `KEY` of the module `score/KEY.py` computes."""
    return Metric("scores", name, 100.0, "score", (0.0, 100.0))


HARNESS = "lm_eval:"
"""Prefix of metrics of lm-evaluation-harness: `lm_eval:TASK`, for the task's first metric, or
`lm_eval:TASK:METRIC`."""


class _Metrics(dict[str, Metric]):
    """The metrics by name; metrics of lm-evaluation-harness are made on lookup."""

    def __missing__(self, name: str) -> Metric:
        if not name.startswith(HARNESS):
            raise KeyError(name)
        task, *metric = name.removeprefix(HARNESS).split(":")
        label = f"{metric[0]} of {task}" if metric else task
        return Metric(f"lm_eval/{task}", label, quantity=name, better="")


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
else:  # the config accepts only these names
    MetricName = (
        Literal[tuple(METRICS)]
        | Annotated[str, Field(pattern=rf"^{HARNESS}[A-Za-z0-9][\w.+-]*(:[\w.+,-]+)?$")]
    )
