"""Knobs of the distance stage."""

from typing import Literal

from pydantic import Field

from nearfirst.common.settings import Section


class DistanceSettings(Section):
    """How far a training instance is from a test instance."""

    measure: Literal["cosine", "euclidean"] = Field(
        "cosine", description="`cosine` (Eq. 8: minus the cosine) or `euclidean` (Eq. 9)."
    )
