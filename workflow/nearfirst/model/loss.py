"""The loss of both training and evaluation: change `token_losses` to change it for both."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nearfirst.model.logits import logits_at, pad
from nearfirst.model.template import IGNORED, Tokens


def token_losses(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the cross entropy of each prediction, in nats: (n,) float32 (Section 2.2).

    `logits` are (n, vocabulary), `targets` (n,) token ids. A target of `IGNORED` has loss 0.
    """
    return torch.nn.functional.cross_entropy(
        logits.float(), targets.to(logits.device), ignore_index=IGNORED, reduction="none"
    )


def step_loss(
    model: Any, batch: Mapping[str, torch.Tensor], label_tokens: torch.Tensor
) -> torch.Tensor:
    """Return a micro-batch's share of the loss of its training step, the mean over all labels.

    `batch` holds (B, T) `input_ids` and `labels` from `pad`; `label_tokens` counts the labels of
    the step over all micro-batches and GPUs. Logits are computed at label positions only.
    """
    targets = batch["labels"][:, 1:]
    rows, columns = (targets != IGNORED).nonzero(as_tuple=True)
    logits = logits_at(model, batch["input_ids"], rows, columns)
    return token_losses(logits, targets[rows, columns]).sum() / label_tokens


def mean_losses(model: Any, instances: Sequence[Tokens]) -> npt.NDArray[np.float64]:
    """Return the mean loss over the labels of each of B instances, (B,), in one forward pass.

    Each instance has a label. Logits are computed at label positions only.
    """
    batch = pad(instances)
    targets = batch["labels"][:, 1:]
    rows, columns = (targets != IGNORED).nonzero(as_tuple=True)
    device = model.device
    logits = logits_at(model, batch["input_ids"].to(device), rows.to(device), columns.to(device))
    losses = token_losses(logits, targets[rows, columns]).double().cpu().numpy()
    means: npt.NDArray[np.float64] = np.bincount(rows, losses) / np.bincount(rows)
    return means
