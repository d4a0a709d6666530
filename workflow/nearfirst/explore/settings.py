"""Settings of the exploration before training."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from nearfirst.common.settings import Section

KINDS = ("identical text", "identical prompt", "near-identical text", "near embedding")
"""Kinds of duplicates, the strongest first: a pair is of the first kind that fits."""


class ExplorationSettings(Section):
    """What counts as near, and what as a duplicate, between a pool and a test set."""

    representation: str = Field(
        "text", description="Row of `representations`: the vectors that are compared."
    )
    bins: PositiveInt = Field(40, description="Bins of the histograms, the same for both.")
    near: NonNegativeFloat | None = Field(
        None,
        description="Distance up to which a training instance counts as near to a test instance, "
        "as `distance.measure` says; for cosine it is 1 − cos. Null takes it from the pool, see "
        "`near_quantile`.",
    )
    near_quantile: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Where `near` is null: this quantile of the distances of training instances to "
        "their nearest one of another task, or to the nearest other one if the test set has tasks "
        "of the pool.",
    )
    near_sample: PositiveInt = Field(
        1000, description="Number of training instances, drawn at random, for that quantile."
    )
    seed: NonNegativeInt = Field(0, description="Seed of that draw.")
    neighbours: PositiveInt = Field(
        3, description="Training tasks listed for each test task: those of its nearest instances."
    )
    ngram: PositiveInt = Field(
        3, description="Words, or characters, in an n-gram that two texts may share."
    )
    ngram_of: Literal["words", "characters"] = Field(
        "words",
        description="What n-grams are made of; `characters` for languages without spaces.",
    )
    text_similarity: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of n-grams (Jaccard) from which two texts are near-identical.",
    )
    embedding_similarity: float = Field(
        0.95, gt=-1, le=1, description="Cosine from which two embeddings are near-duplicates."
    )
    listed: PositiveInt = Field(
        10_000, description="Pairs listed for each kind of duplicate, at most; all are counted."
    )
