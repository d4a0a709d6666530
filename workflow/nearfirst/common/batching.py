"""Batches of near-equal length, for forward passes."""

from collections.abc import Iterator, Sequence


def batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Group items longest first, so that count times the longest is at most `max_tokens`.

    A longer item is a batch of its own. Since the longest come first, a lack of memory shows at
    once.

    Parameters
    ----------
    lengths
        Tokens of each item.
    max_tokens
        Tokens in a batch, padding included.

    Yields
    ------
    Indices of a batch's items. Every item is in exactly one batch.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > max_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
