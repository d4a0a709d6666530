"""The half of a test set that arrangements with `queries: half` are made for."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt


def half_mask(ids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return an (n,) mask of the ids in the half, which their hashes choose, not their order."""
    hashes = np.array([blake2b(id_.encode()).hexdigest() for id_ in ids])
    mask = np.zeros(len(ids), dtype=bool)
    mask[np.argsort(hashes)[: (len(ids) + 1) // 2]] = True
    return mask
