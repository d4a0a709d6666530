"""By Okapi BM25 of the instances for the instructions of the queries (package `bm25s`)."""

from typing import Literal

import numpy as np
from pydantic import Field, NonNegativeFloat

from nearfirst.arrange.pool import Arranged, Pool, by_distance
from nearfirst.arrange.settings import ArrangementSettings, EndField, Need
from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar
from nearfirst.data.conversation import instruction_of, text_of


class Settings(ArrangementSettings):
    """Order instances by their BM25 score, the highest first, for the queries' instructions."""

    method: Literal["bm25"] = "bm25"
    order: EndField = "nearest"
    reduce: Literal["max", "mean"] = Field(
        "max", description="Score of an instance: its best over the queries, or their mean."
    )
    k1: NonNegativeFloat = Field(1.5, description="How soon more of a word counts no more.")
    b: float = Field(0.75, ge=0, le=1, description="How far long texts are discounted.")

    def required(self) -> frozenset[Need]:
        """Return that the messages of both sides are needed."""
        return frozenset({"messages", "queries"})

    def is_seeded(self) -> bool:
        """Return that a seed breaks ties and changes nothing else."""
        return False


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order by the score of `{instruction} {answer}`; raises InputError if there are no words.

    Words are runs of two or more letters or digits in lower case; none is left out, none is
    stemmed: texts may be in any language. A word of a query counts as often as it stands there.
    """
    import bm25s

    def words(texts: list[str]) -> list[list[str]]:
        split: list[list[str]] = bm25s.tokenize(
            texts, stopwords=None, return_ids=False, show_progress=False
        )
        return split

    documents = words([text_of(messages) for messages in pool.messages])
    if not any(documents):
        raise InputError("bm25: no training instance has a word of two or more letters")
    index = bm25s.BM25(k1=settings.k1, b=settings.b)
    index.index(documents, show_progress=False)
    queries = words([instruction_of(messages) for messages in pool.queries])
    total = np.zeros(pool.size)
    for query in bar(queries, "queries", len(queries)):
        if known := [word for word in query if word in index.vocab_dict]:
            scores = index.get_scores(known)
            total = np.maximum(total, scores) if settings.reduce == "max" else total + scores
    return Arranged(by_distance(-total, settings.order, seed))
