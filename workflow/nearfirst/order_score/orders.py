"""The random orders: one sample of the pool, shuffled again and again."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import LOSSES
from nearfirst.order_score.settings import OrderScoreSettings

ORDER_LOSSES = pa.schema([("order", pa.int32()), *LOSSES])
"""Losses of test instances after each order, at two steps."""


def random_orders(
    pool: int, batch_size: int, settings: OrderScoreSettings
) -> npt.NDArray[np.int64]:
    """Return the rows of the pool in each order, (orders, steps x batch_size).

    All hold the same instances, so that runs differ in nothing but the order. The first orders are
    the same whatever their number.

    Raises
    ------
    InputError
        If the pool is too small.
    """
    used = settings.steps * batch_size
    if used > pool:
        raise InputError(
            f"order_score.steps: {settings.steps} steps of {batch_size} need more than the {pool} "
            f"instances of the pool; set it to {pool // batch_size} or fewer"
        )
    rows = np.random.default_rng(settings.seed).permutation(pool)[:used]
    return np.stack(
        [
            np.random.default_rng([settings.seed, number]).permutation(rows)
            for number in range(settings.orders)
        ]
    )
