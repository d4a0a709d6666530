"""The loss of training and evaluation alike: change `token_losses` to change it for both."""

from collections.abc import Sequence
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


def step_loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor) -> torch.Tensor:
    """Return what a micro-batch adds to the loss of its training step: the mean over all labels.

    `outputs` hold (B, T, vocabulary) logits; position t predicts label t + 1 of the (B, T) labels;
    `num_items_in_batch` counts the labels of the step, over all micro-batches and GPUs.
    """
    targets = torch.nn.functional.pad(labels, (0, 1), value=IGNORED)[:, 1:]
    losses = token_losses(outputs["logits"].flatten(0, 1), targets.flatten())
    return losses.sum() / num_items_in_batch.to(losses.device)


def mean_losses(model: Any, instances: Sequence[Tokens]) -> npt.NDArray[np.float64]:
    """Return the mean loss over the labels of each of B instances, (B,), in one forward pass.

    Each has a label. Logits are computed at label positions only.
    """
    batch = pad(instances)
    targets = batch["labels"][:, 1:]
    rows, columns = (targets != IGNORED).nonzero(as_tuple=True)
    device = model.device
    logits = logits_at(model, batch["input_ids"].to(device), rows.to(device), columns.to(device))
    losses = token_losses(logits, targets[rows, columns]).double().cpu().numpy()
    means: npt.NDArray[np.float64] = np.bincount(rows, losses) / np.bincount(rows)
    return means
