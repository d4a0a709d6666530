"""A slow, obvious implementation, whose results the fast one must equal."""

import numpy as np
import numpy.typing as npt


def algorithm_1(distances: npt.NDArray[np.float32]) -> list[int]:
    """Return the rounds of TMA as in the algorithm's text, with all pairs compared each round."""
    rows = distances.tolist()
    rounds = [0] * len(rows)
    pool = list(range(len(rows)))
    number = 0
    while pool:
        number += 1
        chosen = set()
        for test in range(distances.shape[1]):
            nearest = pool[0]
            for point in pool:
                if rows[point][test] < rows[nearest][test]:
                    nearest = point
            chosen.add(nearest)
        for point in chosen:
            rounds[point] = number
        pool = [point for point in pool if point not in chosen]
    return rounds
