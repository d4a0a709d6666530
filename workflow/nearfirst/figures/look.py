"""Settings for the look of figures."""

from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveFloat

from nearfirst.common.settings import Section
from nearfirst.metrics import SCORE_NAMES

LEGEND = {
    "NFT": "nearest first (NFT)",
    "RT": "random (RT)",
    "FFT": "farthest first (FFT)",
    "MIN": "nearest only (MIN)",
    "MAX": "farthest only (MAX)",
    "cluster": "task after task (cluster)",
    "coarse": "whole tasks (coarse)",
    "fine": "instances (fine)",
    **{f"[{i},{i + 5})": f"rounds {i}–{i + 4}" for i in range(0, 30, 5)},
    **{f"specialist-{seed}": f"test seed {seed}" for seed in range(3)},
    **SCORE_NAMES,
    "niv2": "NIV2",
    "p3": "P3",
    "flan": "Flan-mini",
    "sharegpt": "ShareGPT",
    "norobots": "NoRobots",
}
QUANTITIES = {
    "loss": "loss",
    "score": "Mean score (0 to 100)",
    **{key: f"Mean {name} (0 to 100)" for key, name in SCORE_NAMES.items()},
    "reward": "Mean reward",
    "scaled-cosine-avg": "Scaled cosine avg",
    **{
        f"{distance.lower()}-{operation}": f"{distance} {operation}"
        for distance in ("Cosine", "Euclidean")
        for operation in ("min", "max", "avg", "centroid")
    },
    "ngram-kl": "n-gram KL (nats)",
}
PLACES = {
    **{"NFT": 0, "fine": 0, "RT": 1, "random": 1, "FFT": 2},
    **{"round-robin": 3, "cluster": 4, "MAX": 5, "MIN": 6, "coarse": 7},
}

Colour = Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$")]


class LookSettings(Section):
    """The look of figures: a change here redraws them and computes nothing."""

    width: PositiveFloat = Field(5.2, description="Width in inches of a figure with one panel.")
    height: PositiveFloat = Field(3.4, description="Height in inches of a figure with one panel.")
    panel_width: PositiveFloat = Field(
        2.6, description="Width in inches of each of several panels."
    )
    panel_height: PositiveFloat = Field(
        2.2, description="Height in inches of each of several panels, without the legend."
    )
    font_size: float = Field(
        9.0, ge=4, description="Size of text in points; one less if there are several panels."
    )
    font: str | None = Field(
        None,
        min_length=1,
        description="Name of an installed font for all text. Null is DejaVu Sans. Characters that "
        "it lacks are drawn in another installed font that has them.",
    )
    palette: list[Colour] = Field(
        [
            *("#0072B2", "#000000", "#D55E00", "#009E73", "#CC79A7", "#E69F00"),
            *("#56B4E9", "#7F7F7F"),
        ],
        min_length=1,
        description="Colours of the curves in turn, as #RRGGBB (after Okabe and Ito, safe for the "
        "colour-blind).",
    )
    places: Annotated[dict[str, NonNegativeInt], AfterValidator(lambda places: PLACES | places)] = (
        Field(
            PLACES,
            description="Number, from 0, of a label's colour, line style and marker, so that an "
            "arrangement looks the same in all figures; other labels take unused numbers. Numbers "
            "given here are added to these.",
        )
    )
    legend: Annotated[dict[str, str], AfterValidator(lambda names: LEGEND | names)] = Field(
        LEGEND,
        description="Names of labels in legends and panels; other labels are shown unchanged. "
        "Names given here are added to these.",
    )
    quantities: Annotated[dict[str, str], AfterValidator(lambda names: QUANTITIES | names)] = Field(
        QUANTITIES,
        description="Names of scores, rewards, measures of similarity and, in legends, the loss. "
        "Names given here are added to these.",
    )
    x_label: str = Field("Training step", description="Name of the x axis.")
    y_label: str = Field("Mean test loss (nats per token)", description="Name of the loss axis.")
