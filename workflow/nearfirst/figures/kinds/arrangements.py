"""A metric's mean against step, one curve for each arrangement, and their paired comparison."""

from typing import Literal

from nearfirst.figures.figure import Caption, Contrast
from nearfirst.figures.shapes import ByArrangement, WithReference


class Settings(WithReference, ByArrangement):
    """A metric's mean against step, one curve for each arrangement, and their comparison."""

    kind: Literal["arrangements"] = "arrangements"
    caption: Caption = "Mean test {metric} on {dataset} with the training data in different orders."

    def contrasts(self) -> list[Contrast]:
        """Return the differences between the reference and the others."""
        a = self.reference
        return [Contrast(f"{a}-{b}", {a: 1, b: -1}, f"Against {b}") for b in self.others()]
