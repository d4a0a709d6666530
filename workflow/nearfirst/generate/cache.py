"""Key-value caches of a batch whose rows are added and removed.

Shorter rows are padded on the left, like their tokens; the attention mask hides the padding.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer


def if_supported(cache: Any) -> Any:
    """Return the cache, or None if `select` and `join` cannot handle it.

    Recurrent layers, for example, have states without positions to pad.
    """
    kinds = (DynamicLayer, DynamicSlidingWindowLayer)
    supported = type(cache) is DynamicCache and all(type(layer) in kinds for layer in cache.layers)
    return cache if supported else None


def select(cache: Any, rows: Sequence[int], width: int) -> Any:
    """Keep only these rows of a cache, and only the last `width` positions."""
    if cache is not None:
        for layer in _layers_with_keys(cache):
            indices = torch.tensor(rows, device=layer.keys.device)
            layer.keys, layer.values = layer.keys[indices], layer.values[indices]
            _resize(layer, width)
    return cache


def join(first: Any, second: Any, width: int) -> Any:
    """Append the rows of the second cache to the first, all of `width` positions.

    `first` is None if there are no rows yet, `second` if the model's caches are not supported.
    """
    if first is None or second is None:
        return second
    for above, below in zip(_layers_with_keys(first), _layers_with_keys(second), strict=True):
        _resize(above, width)
        _resize(below, width)
        above.keys = torch.cat([above.keys, below.keys])
        above.values = torch.cat([above.values, below.values])
    return first


def _layers_with_keys(cache: Any) -> list[Any]:
    """Return the layers that store keys; the others share those of a lower layer."""
    return [layer for layer in cache.layers if layer.is_initialized]


def _resize(layer: Any, width: int) -> None:
    """Cut or pad on the left to `width` positions; a sliding window stores only the last ones."""
    if isinstance(layer, DynamicSlidingWindowLayer):
        layer.cumulative_length, width = width, min(width, layer.sliding_window - 1)
    missing = width - layer.keys.shape[-2]  # a negative pad cuts
    if missing:
        layer.keys = torch.nn.functional.pad(layer.keys, (0, 0, missing, 0))
        layer.values = torch.nn.functional.pad(layer.values, (0, 0, missing, 0))
