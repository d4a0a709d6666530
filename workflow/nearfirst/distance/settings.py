"""Settings of the distance stage."""

from typing import Literal

from pydantic import Field

from nearfirst.common.settings import Section


class DistanceSettings(Section):
    """Distance between a training instance and a test instance."""

    measure: Literal["cosine", "euclidean"] = Field(
        "cosine",
        description="`cosine` (Eq. 8: −cos; exports and the `explore` figure show 1 − cos) or "
        "`euclidean` (Eq. 9).",
    )
