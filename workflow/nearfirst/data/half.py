"""The half of a test set that orders with `queries: half` are made for."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt


def in_half(ids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return whether each of (n,) ids is in the half.

    It depends on the id alone, by a bit of its hash: so about half of them are, and programs that
    know only some of the ids agree.
    """
    return np.array([blake2b(it.encode(), digest_size=1).digest()[0] % 2 == 0 for it in ids], bool)
