"""Knobs of the figures: what a figure compares, how curves are averaged, how it all looks."""

from typing import Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from nearfirst.settings.base import Section


class CurveSettings(Section):
    """How losses become a curve with an interval."""

    weighting: Literal["instance", "token"] = Field(
        "instance",
        description="Mean over instances of their mean token loss, or over all label tokens.",
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the intervals.")


class ComparisonSettings(Section):
    """The paired comparison of arrangements."""

    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the bootstrap intervals.")
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples.")
    seed: int = Field(0, description="Seed of the bootstrap.")


class CurvesFigure(Section):
    """Loss against step, one curve an arrangement."""

    dataset: Literal["flan"] = Field("flan", description="Data set of the runs.")
    arrangements: dict[str, str] = Field(
        description="Label of each curve and its arrangement: `random`, `tma-nearest`, "
        "`tma-farthest` or `tma-random`."
    )
    reference: str = Field(description="Label that the paired comparison holds against the others.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = ("random", "tma-nearest", "tma-farthest", "tma-random")
        for label, name in self.arrangements.items():
            if name not in known:
                raise ValueError(
                    f"arrangements.{label}: {name!r} is none of the arrangements {', '.join(known)}"
                )
        if self.reference not in self.arrangements:
            raise ValueError(
                f"reference: {self.reference!r} is no label of {', '.join(self.arrangements)}"
            )
        return self


class FigureSettings(Section):
    """Every figure, under the name of its file."""

    fig4_flan: CurvesFigure = CurvesFigure(
        arrangements={"NFT": "tma-nearest", "RT": "random", "FFT": "tma-farthest"},
        reference="NFT",
    )


class LookSettings(Section):
    """Looks alone: a change here redraws and computes nothing."""

    width: PositiveFloat = Field(5.2, description="Width in inches.")
    height: PositiveFloat = Field(3.4, description="Height in inches.")
    font_size: PositiveFloat = Field(9.0, description="Points.")
    palette: list[str] = Field(
        ["#0072B2", "#000000", "#D55E00", "#009E73", "#CC79A7", "#E69F00"],
        min_length=1,
        description="Colours of the curves in turn (Okabe and Ito: safe for the colour-blind).",
    )
    line_styles: list[Literal["-", "--", "-.", ":"]] = Field(
        ["-", "--", "-.", ":"],
        min_length=1,
        description="Line styles in turn, so that curves differ in grey too.",
    )
    markers: list[str] = Field(
        ["o", "s", "^", "D", "v", "P"],
        min_length=1,
        description="Markers in turn, for the same reason.",
    )
    band_opacity: float = Field(0.18, ge=0, le=1, description="Opacity of the interval's band.")
    legend: dict[str, str] = Field(
        {
            "NFT": "nearest first (NFT)",
            "RT": "random (RT)",
            "FFT": "farthest first (FFT)",
        },
        description="What the legend calls a label; a label that is not here is shown as it is.",
    )
    x_label: str = Field("Training step", description="Name of the x axis.")
    y_label: str = Field("Mean test loss (nats per token)", description="Name of the y axis.")
