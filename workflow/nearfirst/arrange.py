"""Arrangements: in which order training instances are seen (Sections 3 and 4)."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Order = Literal["nearest", "farthest", "random"]
WithinRound = Literal["shuffle", "pool"]
Positions = npt.NDArray[np.int64]


def by_round(
    rounds: npt.NDArray[np.int32], order: Order, within_round: WithinRound, seed: int
) -> Positions:
    """Order training points by their TMA rounds.

    Parameters
    ----------
    rounds
        (N,) round of each point.
    order
        `nearest`: rounds 1..k (NFT); `farthest`: rounds k..1 (FFT); `random`: a shuffle of the
        same set (RT).
    within_round
        Inside a round: a seeded `shuffle`, or the order of the `pool`.
    seed
        Seed of the shuffle.

    Returns
    -------
    (N,) indices into the pool, in the order of training.
    """
    shuffled = random(len(rounds), seed)
    if order == "random":
        return shuffled
    tie = np.empty(len(rounds), dtype=np.int64)
    tie[shuffled] = np.arange(len(rounds))
    if within_round == "pool":
        tie = np.arange(len(rounds))
    return np.lexsort((tie, rounds if order == "nearest" else -rounds))


def random(points: int, seed: int) -> Positions:
    """Return a seeded shuffle of the indices 0..points-1 (RT)."""
    return np.random.default_rng(seed).permutation(points)
