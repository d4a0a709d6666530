"""Logits of padded batches at selected positions."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from nearfirst.model.template import IGNORED, Tokens


def pad(batch: Sequence[Tokens]) -> dict[str, torch.Tensor]:
    """Return (B, T) `input_ids` and `labels` of B instances, padded on the right to the longest.

    Causal attention needs no mask: no position sees the padding.
    """
    ids = [torch.from_numpy(item.ids) for item in batch]
    labels = [torch.from_numpy(item.labels) for item in batch]
    return {
        "input_ids": pad_sequence(ids, batch_first=True),
        "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED),
    }


def logits_at(
    model: Any, ids: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
) -> torch.Tensor:
    """Return a causal language model's logits at n positions only, (n, vocabulary).

    `ids` (B, T), padded on the right, and `rows` and `columns` (n,) are on the model's device. The
    model's forward pass runs unchanged (Gemma 2 caps logits, Cohere and Granite scale them), but
    its output embedding sees only these positions.
    """
    shapes: list[torch.Size] = []

    def select(_: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        hidden, *rest = arguments
        shapes.append(hidden.shape[:-1])
        return (hidden[rows, columns][None], *rest) if hidden.shape[:-1] == ids.shape else None

    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(select) if head is not None else None
    try:
        logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits
    finally:
        if hook is not None:
            hook.remove()
    # squeeze, not [0]: the gradient of an index is a copy padded with zeros
    return logits.squeeze(0) if shapes == [ids.shape] else logits[rows, columns]
