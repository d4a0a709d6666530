"""The half of a test set that orders with `queries: half` are made for."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt


def in_half(ids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return whether each of (n,) ids is in the half: by their hashes, whatever their order."""
    hashes = np.array([blake2b(it.encode()).hexdigest() for it in ids])
    found = np.zeros(len(ids), dtype=bool)
    found[np.argsort(hashes)[: (len(ids) + 1) // 2]] = True
    return found
