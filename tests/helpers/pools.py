"""Pools of training instances for the tests of arrangements."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from nearfirst.arrange.pool import Pool
from nearfirst.arrange.registry import METHODS
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.distance.distances import BY_ROWS

ROLES = ("user", "assistant")
ORDERS = ("nearest", "farthest", "random")


def from_matrix(distances: Sequence[Sequence[float]] | npt.NDArray[Any]) -> Pool:
    """Return a pool with these distances; its embeddings are zeros."""
    matrix = np.asarray(distances, dtype=np.float32)
    train, test = (np.zeros((size, 1), dtype=np.float32) for size in matrix.shape)
    return Pool(len(matrix), (), train, test, lambda rows: matrix[rows], threads=1)


def from_embeddings(train: Any, test: Any, tasks: Sequence[str] = ()) -> Pool:
    """Return a pool with the cosine distances of embeddings."""
    train, test = np.asarray(train, dtype=np.float32), np.asarray(test, dtype=np.float32)
    return Pool(len(train), tasks, train, test, BY_ROWS["cosine"](train, test), threads=1)


def random(size: int, tests: int = 5, tasks: int = 4, seed: int = 0) -> Pool:
    """Return a random pool with tasks of unequal size and positive cosines."""
    generator = np.random.default_rng(seed)
    names = [f"task-{int(i)}" for i in generator.integers(tasks, size=size) ** 2 // tasks]
    train, test = (1 + 0.5 * generator.random((n, 6)) for n in (size, tests))
    pool = from_embeddings(train, test, names)
    # Words of one length, and conversations of different lengths.
    words = ["red", "old", "new", "far", "one", "two", "sky", "sun", "pea"]
    lengths = generator.permutation(np.arange(1, size + tests + 1))
    chats = [[_message(role, words, int(n), generator) for role in ROLES] for n in lengths]
    scores = generator.permutation(size) / 4
    return replace(pool, messages=chats[:size], queries=chats[size:], scores=scores)


def _message(role: str, words: list[str], length: int, generator: Any) -> Any:
    return {"role": role, "content": " ".join(generator.choice(words, length))}


def settings(method: str, **parameters: Any) -> ArrangementSettings:
    """Return the settings of an arrangement."""
    return METHODS.settings(method)(method=method, **parameters)


POOLS = st.builds(
    random, st.integers(1, 40), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32)
)
SEEDS = st.integers(0, 2**32)
