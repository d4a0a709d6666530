"""Arrangements: in which order training instances are seen (Sections 3 and 4)."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Order = Literal["nearest", "farthest", "random"]
WithinRound = Literal["shuffle", "pool"]
Positions = npt.NDArray[np.int64]


def tma_rounds(distances: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Return the round of every training point by Test-centric Multi-turn Arrangement.

    Algorithm 1: while training points remain, a round is the set of the points that are the
    nearest remaining one to at least one test point; they leave the pool together. Ties go to the
    lowest index.

    Parameters
    ----------
    distances
        (N, M) distances of N training points to M test points.

    Returns
    -------
    (N,) rounds from 1, int32.
    """
    points, tests = distances.shape
    # Each test point's training points, nearest first; a stable sort keeps ties in index order.
    # A pointer a column moves down past the points that are gone, so a round costs about M.
    order = np.empty((points, tests), dtype=np.int32)
    for test in range(tests):
        order[:, test] = np.argsort(distances[:, test], kind="stable")
    pointer = np.zeros(tests, dtype=np.int64)
    columns = np.arange(tests)
    rounds = np.zeros(points, dtype=np.int32)
    left, number = points, 0
    while left:
        number += 1
        behind = columns
        while len(behind):
            nearest = order[pointer[behind], behind]
            behind = behind[rounds[nearest] > 0]
            pointer[behind] += 1
        chosen = np.unique(order[pointer, columns])
        rounds[chosen] = number
        left -= len(chosen)
    return rounds


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
