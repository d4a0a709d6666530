"""Keys and values of a batch whose rows come and go.

Rows stand to the right: a shorter one is padded on the left, as its tokens are, and the attention
mask hides what is there.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer


def usable(cache: Any) -> Any:
    """Return a cache of which rows can be taken; None if it is of another kind.

    Those of recurrent layers are: their states have no positions to pad.
    """
    known = (DynamicLayer, DynamicSlidingWindowLayer)
    found = type(cache) is DynamicCache and all(type(layer) in known for layer in cache.layers)
    return cache if found else None


def select(cache: Any, rows: Sequence[int], width: int) -> Any:
    """Keep only these rows of a cache, and only the last `width` positions."""
    if cache is not None:
        for layer in _filled(cache):
            at = torch.tensor(rows, device=layer.keys.device)
            layer.keys, layer.values = layer.keys[at], layer.values[at]
            _resize(layer, width)
    return cache


def join(first: Any, second: Any, width: int) -> Any:
    """Add the rows of the second cache below those of the first, all of `width` positions.

    None for the first is no rows; for the second, that this model's caches are not usable.
    """
    if first is None or second is None:
        return second
    for above, below in zip(_filled(first), _filled(second), strict=True):
        _resize(above, width)
        _resize(below, width)
        above.keys = torch.cat([above.keys, below.keys])
        above.values = torch.cat([above.values, below.values])
    return first


def _filled(cache: Any) -> list[Any]:
    """Return the layers with keys of their own; others use those of a layer below."""
    return [layer for layer in cache.layers if layer.is_initialized]


def _resize(layer: Any, width: int) -> None:
    """Cut positions off on the left, or pad there; of a sliding window only its end is held."""
    held = width
    if isinstance(layer, DynamicSlidingWindowLayer):
        layer.cumulative_length, held = width, min(width, layer.sliding_window - 1)
    missing = held - layer.keys.shape[-2]  # a negative pad cuts
    if missing:
        layer.keys = torch.nn.functional.pad(layer.keys, (0, 0, missing, 0))
        layer.values = torch.nn.functional.pad(layer.values, (0, 0, missing, 0))
