"""Order by Okapi BM25, with the instructions of the queries (package `bm25s`)."""

from functools import partial
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, NonNegativeFloat

from nearfirst.arrange.pool import Arranged, Pool, by_distance
from nearfirst.arrange.settings import Need, UnseededSettings
from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar
from nearfirst.data.conversation import instruction_of, text_of


class Settings(UnseededSettings):
    """Order instances by their maximum BM25 score for the queries' instructions, highest first."""

    needed: ClassVar[frozenset[Need]] = frozenset({"messages", "queries"})

    method: Literal["bm25"] = "bm25"
    k1: NonNegativeFloat = Field(1.5, description="How slowly repeated words saturate.")
    b: float = Field(0.75, ge=0, le=1, description="How strongly long texts are penalized.")


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order by the score of `{instruction} {answer}`; raises InputError if there are no words.

    Words are runs of two or more letters or digits, in lower case. Stop words are kept and words
    are not stemmed, since texts may be in any language. Repeated words of a query count repeatedly.
    """
    import bm25s

    split = partial(bm25s.tokenize, stopwords=None, return_ids=False, show_progress=False)
    documents = split([text_of(messages) for messages in pool.messages])
    if not any(documents):
        raise InputError("bm25: no training instance has a word of two or more letters")
    index = bm25s.BM25(k1=settings.k1, b=settings.b)
    index.index(documents, show_progress=False)
    queries = split([instruction_of(messages) for messages in pool.queries])
    best = np.zeros(pool.size)
    for query in bar(queries, "queries", len(queries)):
        if words := [word for word in query if word in index.vocab_dict]:
            best = np.maximum(best, index.get_scores(words))
    return Arranged(by_distance(-best, settings.order, seed))
