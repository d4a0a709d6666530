"""Means of several metrics against step, one curve for each metric."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import check_once
from nearfirst.figures.figure import Caption
from nearfirst.figures.shapes import OfOneArrangement
from nearfirst.metrics import METRICS, MetricName


class Settings(OfOneArrangement):
    """Means of several metrics against step, one curve for each metric."""

    kind: Literal["metrics"] = "metrics"
    caption: Caption = "Mean {metric} on the test set of {dataset} while training on it."
    metrics: list[MetricName] = Field(
        ["rouge1", "rougeL", "exact_match"],
        min_length=1,
        description="Metrics that share an axis: scores, or one other metric.",
    )

    series: ClassVar[str] = "metric"

    @model_validator(mode="after")
    def _check_axis(self) -> Self:
        check_once("metrics", self.metrics)
        quantities = {METRICS[name].quantity for name in self.metrics}
        if len(quantities) > 1:
            raise ValueError(f"metrics: {' and '.join(sorted(quantities))} do not share an axis")
        return self

    def metric_names(self) -> list[MetricName]:
        """Return the metrics of the curves."""
        return self.metrics
