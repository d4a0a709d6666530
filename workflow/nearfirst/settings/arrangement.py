"""Knobs of the arrangement stage."""

from typing import Literal

from pydantic import Field

from nearfirst.settings.base import Section


class ArrangeSettings(Section):
    """What Algorithm 1 leaves open."""

    within_round: Literal["shuffle", "pool"] = Field(
        "shuffle",
        description="Order inside a TMA round: a seeded `shuffle`, or `pool` order as in the "
        "published code (which puts a task's instances side by side).",
    )
