"""Loss of test instances at a checkpoint (Section 2.2)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nearfirst.common.batching import batches
from nearfirst.model.logits import logits_at
from nearfirst.model.template import IGNORED, Tokens


@torch.inference_mode()
def losses(model: Any, tokens: Sequence[Tokens], batch_tokens: int) -> npt.NDArray[np.float32]:
    """Return the mean cross entropy over each instance's label tokens, in nats.

    Logits are computed at label positions only.

    Parameters
    ----------
    model
        A causal language model that `causal.check` accepts.
    tokens
        n instances, each with at least one label.
    batch_tokens
        Tokens in a forward pass, padding included.

    Returns
    -------
    (n,) float32.
    """
    device = model.device
    result = np.empty(len(tokens), dtype=np.float32)
    for batch in batches([len(item.ids) for item in tokens], batch_tokens):
        width = len(tokens[batch[0]].ids)
        ids = np.zeros((len(batch), width), dtype=np.int64)
        # targets[i, t] is what position t predicts: the label of position t + 1.
        targets = np.full((len(batch), width), IGNORED, dtype=np.int64)
        for row, index in enumerate(batch):
            item = tokens[index]
            ids[row, : len(item.ids)] = item.ids
            targets[row, : len(item.ids) - 1] = item.labels[1:]
        rows, columns = np.nonzero(targets != IGNORED)
        logits = logits_at(model, torch.from_numpy(ids).to(device), rows, columns)
        each = torch.nn.functional.cross_entropy(
            logits.float(),
            torch.from_numpy(targets[rows, columns]).to(logits.device),
            reduction="none",
        )
        sums = np.bincount(rows, weights=each.double().cpu().numpy(), minlength=len(batch))
        result[batch] = sums / np.bincount(rows, minlength=len(batch))
    return result
