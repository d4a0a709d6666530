"""Order by any score of the instances, optionally folded, in a stair, or with jitter.

Patterns and their names come from microsoft/data-efficacy (`data_ordering/common.py`; Data
Efficacy for Language Model Training, arXiv 2506.21545, and its sequel on data organization).
"""

from typing import Literal, Self

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from nearfirst.arrange.pool import Arranged, Pool, Positions, by_distance
from nearfirst.arrange.settings import ArrangementSettings, Need

LAYERS = {"sorted": 1, "folding": 5, "stair": 3}
"""Default number of layers, as published."""


class Settings(ArrangementSettings):
    """Order instances by a score: a column of the pool, a table of scores, length or loss."""

    method: Literal["score"] = "score"
    column: str | None = Field(
        None, min_length=1, description="Column of the pool's rows that holds the scores."
    )
    path: str | None = Field(
        None,
        min_length=1,
        description="Table of scores (Parquet) with the columns `id` and `score`.",
    )
    quantity: Literal["length", "loss"] | None = Field(
        None,
        description="A score to compute: `length`, the characters of all messages, or `loss`, the "
        "base model's mean loss on the answers; an instance that truncation leaves without labels "
        "has no loss and comes last.",
    )
    order: Literal["ascending", "descending"] = Field(
        "ascending", description="The lowest or the highest score first."
    )
    pattern: Literal["sorted", "folding", "stair"] = Field(
        "sorted",
        description="`folding`: every L-th sorted instance from the first on, then from the second "
        "on, and so on, L times; `stair`: sorted, but folded around the borders of sections.",
    )
    layers: PositiveInt | None = Field(
        None, description="L of `folding` and `stair`; null: 5 and 3."
    )
    sections: PositiveInt = Field(2, description="Number of sections of a `stair`.")
    ratio: NonNegativeFloat = Field(
        0.225, description="Share of the pool on either side of a border that a `stair` folds."
    )
    temperature: NonNegativeFloat = Field(
        0, description="Jitter: scale of the Gumbel noise added to the ranks; 0: none."
    )
    window: NonNegativeInt = Field(
        0, description="Finally shuffle within windows of this many instances; 0: do not."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [key for key in ("column", "path", "quantity") if getattr(self, key) is not None]
        if len(sources) != 1:
            names = " and ".join(sources) or "none"
            raise ValueError(f"column: give one of column, path and quantity, not {names}")
        return self

    def required(self) -> frozenset[Need]:
        """Return what the method reads: scores, or messages to measure their length."""
        return frozenset({"messages"} if self.quantity == "length" else {"scores"})

    def is_seeded(self) -> bool:
        """Return whether anything is shuffled or jittered."""
        return self.temperature > 0 or self.window > 1


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order by the score; NaN, which only a loss can be, comes last."""
    scores = np.asarray(pool.scores, dtype=np.float64)
    if settings.quantity == "length":
        lengths = [sum(len(turn["content"]) for turn in messages) for messages in pool.messages]
        scores = np.array(lengths, dtype=np.float64)
    order = by_distance(scores if settings.order == "ascending" else -scores, "nearest", seed)
    generator = np.random.default_rng(seed)
    if settings.temperature:
        noise = settings.temperature * generator.gumbel(size=pool.size)
        order = order[np.argsort(np.arange(pool.size) + noise, kind="stable")]
    layers = settings.layers or LAYERS[settings.pattern]
    if settings.pattern == "folding":
        order = fold(order, layers)
    elif settings.pattern == "stair":
        order = stair(order, layers, settings.sections, settings.ratio)
    if settings.window > 1:
        starts = range(settings.window, pool.size, settings.window)
        order = np.concatenate([generator.permutation(part) for part in np.split(order, starts)])
    return Arranged(order)


def fold(order: Positions, layers: int) -> Positions:
    """Return every `layers`-th of (n,) indices from the first on, then from the second on, etc."""
    return np.concatenate([order[layer::layers] for layer in range(layers)])


def stair(order: Positions, layers: int, sections: int, ratio: float) -> Positions:
    """Return (n,) indices, folded around the borders of sections.

    Around each border, round(n · ratio) indices on either side are folded, except those already
    folded around an earlier border.
    """
    size = len(order)
    radius, done, parts = round(size * ratio), 0, []
    for section in range(1, sections):
        border = round(size * section / sections)
        start, stop = max(done, border - radius), min(size, border + radius)
        parts += [order[done:start], fold(order[start:stop], layers)]
        done = max(start, stop)
    return np.concatenate([*parts, order[done:]])
