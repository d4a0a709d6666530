"""Settings of the exploration before training."""

from typing import Literal

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Section

KINDS = ("identical text", "identical prompt", "near-identical text", "near embedding")
"""Kinds of duplicates, the strongest first; a pair counts under the first kind that fits."""


class ExplorationSettings(Section):
    """What counts as near and as a duplicate, between a pool and a test set."""

    representation: str = Field(
        "text", description="Row of `representations`: the vectors to compare."
    )
    near_quantile: float = Field(
        0.9,
        gt=0,
        le=1,
        description="A training instance is near to a test instance up to this quantile of the "
        "distances from training instances to the nearest one of another task, or to the nearest "
        "other one if the test set shares tasks with the pool.",
    )
    ngram: PositiveInt = Field(3, description="Words, or characters, in an n-gram.")
    ngram_of: Literal["words", "characters"] = Field(
        "words",
        description="Unit of n-grams; `characters` for languages without spaces.",
    )
    text_similarity: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Jaccard similarity of n-grams from which two texts are near-identical.",
    )
    embedding_similarity: float = Field(
        0.95, gt=-1, le=1, description="Cosine from which two embeddings are near-duplicates."
    )
