"""Settings of the distance stage."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from nearfirst.common.settings import Section

MEASURES = (
    *(f"{d}-{op}" for d in ("cosine", "euclidean") for op in ("min", "max", "avg", "centroid")),
    "ngram-kl",
)
"""The nine measures (Sections B.3.1 and B.3.2), by the names in tables."""


class DistanceSettings(Section):
    """Distance between a training instance and a test instance."""

    measure: Literal["cosine", "euclidean"] = Field(
        "cosine",
        description="`cosine` (Eq. 8: −cos; exports and the `explore` figure show 1 − cos) or "
        "`euclidean` (Eq. 9).",
    )


class SimilaritySettings(Section):
    """How similar the training data seen so far are to the test data (Section B.3)."""

    representation: str = Field(
        "text", description="Row of `representations`: the vectors for the eight distances."
    )
    ngram: PositiveInt = Field(2, description="Words in an n-gram.")
    epsilon: PositiveFloat = Field(
        1e-10, description="Added to the probability of every n-gram of the test data (Eq. 12)."
    )
    counting: Literal["types", "occurrences"] = Field(
        "types",
        description="What the divergence sums over: each n-gram once, as in Eq. 12 (`types`), or "
        "each occurrence in the training data, as in the published code (`occurrences`).",
    )
