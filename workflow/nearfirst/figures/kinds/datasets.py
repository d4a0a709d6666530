"""A metric's mean against step, one curve for each data set."""

from typing import Literal

from nearfirst.figures.figure import Caption, Metric
from nearfirst.figures.shapes import ByDataset


class Settings(ByDataset):
    """A metric's mean against step, one curve for each data set."""

    kind: Literal["datasets"] = "datasets"
    caption: Caption = "Mean {metric} on the unseen tasks of each data set while training on it."
    metric: Metric = "loss"
