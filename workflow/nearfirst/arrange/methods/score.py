"""By any score of the instances, also folded, with a stair, or with jitter.

Patterns and their names are those of microsoft/data-efficacy (`data_ordering/common.py`; Data
Efficacy for Language Model Training, arXiv 2506.21545, and its sequel on data organization).
"""

from typing import Literal, Self

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from nearfirst.arrange.pool import Arranged, Pool, Positions, by_distance
from nearfirst.arrange.settings import ArrangementSettings, Need

LAYERS = {"sorted": 1, "folding": 5, "stair": 3}
"""Published defaults."""


class Settings(ArrangementSettings):
    """Order instances by a score: a column of the pool, a table of scores, length or loss."""

    method: Literal["score"] = "score"
    column: str | None = Field(
        None, description="Column of the pool's rows that holds the score of each."
    )
    path: str | None = Field(
        None, description="Table of scores (Parquet) with the columns `id` and `score`."
    )
    quantity: Literal["length", "loss"] | None = Field(
        None,
        description="What is computed here: `length`, the characters of all messages, or `loss`, "
        "the base model's mean loss on the answers; what truncation leaves without a label has no "
        "loss and comes last.",
    )
    order: Literal["ascending", "descending"] = Field(
        "ascending", description="The lowest or the highest score first."
    )
    pattern: Literal["sorted", "folding", "stair"] = Field(
        "sorted",
        description="`folding`: every L-th instance of the sorted ones, L times, each time from "
        "the next one on; `stair`: sorted, but folded around the borders of sections.",
    )
    layers: PositiveInt | None = Field(
        None, description="L, of `folding` and `stair`; null: 5 and 3."
    )
    sections: PositiveInt = Field(2, description="Sections of a `stair`.")
    ratio: NonNegativeFloat = Field(
        0.225, description="Share of the pool on either side of a border that a `stair` folds."
    )
    temperature: NonNegativeFloat = Field(
        0, description="Jitter: ranks are sorted again with so many times Gumbel noise added."
    )
    window: NonNegativeInt = Field(
        0, description="Shuffle runs of so many instances, at last; 0: none."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [key for key in ("column", "path", "quantity") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                "column: give one of column, path and quantity, not "
                f"{' and '.join(given) or 'none'}"
            )
        return self

    def required(self) -> frozenset[Need]:
        """Return that scores are needed, or messages to measure them."""
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
        order = folded(order, layers)
    elif settings.pattern == "stair":
        order = stair(order, layers, settings.sections, settings.ratio)
    if settings.window > 1:
        starts = range(settings.window, pool.size, settings.window)
        order = np.concatenate([generator.permutation(it) for it in np.split(order, starts)])
    return Arranged(order)


def folded(order: Positions, layers: int) -> Positions:
    """Return each `layers`-th of (n,) indices from the first on, then from the second on, etc."""
    return np.concatenate([order[layer::layers] for layer in range(layers)])


def stair(order: Positions, layers: int, sections: int, ratio: float) -> Positions:
    """Return (n,) indices as they are, but for those around the borders of sections, folded.

    Around the border after each section but the last, round(n · ratio) on either side are folded;
    what an earlier border has folded is not folded again.
    """
    size = len(order)
    radius, done, parts = round(size * ratio), 0, []
    for border in (round(size * section / sections) for section in range(1, sections)):
        start, stop = max(done, border - radius), min(size, border + radius)
        parts += [order[done:start], folded(order[start:stop], layers)]
        done = max(start, stop)
    return np.concatenate([*parts, order[done:]])
