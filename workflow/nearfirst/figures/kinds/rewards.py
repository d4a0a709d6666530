"""Rewards of right and of wrong answers (Figure 6)."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from nearfirst.figures.figure import Caption
from nearfirst.figures.shapes import OfOneArrangement
from nearfirst.metrics import MetricName


class Settings(OfOneArrangement):
    """Rewards of right and of wrong answers."""

    kind: Literal["rewards"] = "rewards"
    caption: Caption = (
        "Rewards of right and of wrong answers on {dataset}, right being an Exact Match."
    )

    computing: ClassVar[str] = "reward_distribution"
    sections: ClassVar[Sequence[str]] = ("distribution",)
    # Points of a fine grid far from zero differ only in late digits.
    float_format: ClassVar[str] = "%.12g"
    drawing: ClassVar[str] = "reward_distribution"

    def metric_names(self) -> list[MetricName]:
        """Return the score that decides whether an answer is right, and the reward."""
        return ["exact_match", "reward"]
