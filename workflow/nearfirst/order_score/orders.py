"""The random orders: one sample of the pool, shuffled repeatedly."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import LOSSES
from nearfirst.order_score.settings import OrderScoreSettings

ORDER_LOSSES = pa.schema([("order", pa.int32()), *LOSSES])
"""Losses of the test instances at two steps of each run."""


def random_orders(
    pool_size: int, batch_size: int, settings: OrderScoreSettings
) -> npt.NDArray[np.int64]:
    """Return the rows of the pool in each order, (orders, steps x batch_size).

    All hold the same instances, so runs differ only in their order. The first orders do not depend
    on how many there are. Raises InputError if the pool is too small.
    """
    n_used = settings.steps * batch_size
    if n_used > pool_size:
        raise InputError(
            f"order_score.steps: {settings.steps} steps of {batch_size} need more than the "
            f"{pool_size} instances of the pool; set it to {pool_size // batch_size} or fewer"
        )
    rows = np.random.default_rng(settings.seed).permutation(pool_size)[:n_used]
    return np.stack(
        [
            np.random.default_rng([settings.seed, i]).permutation(rows)
            for i in range(settings.orders)
        ]
    )
