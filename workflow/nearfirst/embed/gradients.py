"""Projected gradients of instances (LESS; Xia et al. 2024, arXiv:2402.04333, Section 3)."""

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import numpy as np
import torch
from tqdm import tqdm
from transformers import Trainer

from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar
from nearfirst.embed.registry import BLOCK, Keep, Matrix, keep_nothing
from nearfirst.model.adapter import has_adapter, saved_names
from nearfirst.model.check import check_model
from nearfirst.model.checkpoints import checkpoints_in, load_weights
from nearfirst.model.device import device
from nearfirst.model.load import model_for
from nearfirst.model.logits import pad
from nearfirst.model.loss import step_loss
from nearfirst.model.template import Tokens

Parameters = dict[str, torch.nn.Parameter]


class Projection:
    """A count sketch from (P,) to (d,), which preserves inner products in expectation.

    Every coordinate gets a random sign and is added to one of d sums of equally many coordinates.
    For any x and y the inner product of their sketches has the mean <x, y> and a variance of at
    most about (|x|²|y|² + <x, y>²) / d, as with a dense Gaussian matrix of P x d numbers.
    """

    def __init__(self, size: int, dimension: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        self.padded = torch.zeros(-(-size // dimension) * dimension, device=device())
        self.size = size
        order = generator.permutation(len(self.padded)).reshape(-1, dimension)
        # Sorted, so that neighbouring sums read neighbouring coordinates.
        order.sort(axis=0)
        signs = generator.integers(0, 2, order.shape, dtype=np.int8) * 2 - 1
        # The smallest type that PyTorch selects by.
        order = order.astype(np.int32 if len(self.padded) <= 2**31 else np.int64)
        self.order = torch.from_numpy(order).flatten().to(device())
        self.signs = torch.from_numpy(signs.astype(np.float32)).to(device())

    def __call__(self, vector: torch.Tensor) -> torch.Tensor:
        """Return the sketch of a vector."""
        self.padded[: self.size] = vector
        parts = self.padded.index_select(0, self.order).view_as(self.signs)
        return parts.mul_(self.signs).sum(dim=0)


class Adam(NamedTuple):
    """Adam's moments after t steps, (P,) each, scaled for the next step.

    `first` is β₁ m / (1 − β₁ᵗ⁺¹) and `second` β₂ v / (1 − β₂ᵗ⁺¹); `weights` multiply a new gradient
    and its square.
    """

    first: torch.Tensor
    second: torch.Tensor
    weights: tuple[float, float]
    epsilon: float

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        """Return Γ, the step that Adam would take with a gradient at a learning rate of 1."""
        first_weight, second_weight = self.weights
        second = torch.addcmul(self.second, gradient, gradient, value=second_weight)
        first = torch.add(self.first, gradient, alpha=first_weight)
        return first.div_(second.sqrt_().add_(self.epsilon))


def represent(
    name: str,
    warm_up: Sequence[Path],
    rates: Sequence[float],
    ids: Sequence[str],
    tokens: Sequence[Tokens],
    dimension: int,
    seed: int,
    *,
    preconditioned: bool,
    keep: Keep = keep_nothing,
) -> Matrix:
    """Return the projected gradients of N instances at K checkpoints: (N, K d), each of length 1.

    The part of checkpoint k has the length √(η_k / Σ η), so that the cosine of a pool instance and
    a query is Σ_k η_k cos_k / Σ η: their cosines at the checkpoints, weighted by learning rate.

    Instances are processed one by one, so the others do not change a bit of the result.

    Parameters
    ----------
    name
        The base model.
    warm_up, rates
        Folders of the K segments of the warm-up run, each with `checkpoints/` and `state/`, and
        their mean learning rates.
    dimension, seed
        Output dimension d and seed of the projection.
    preconditioned
        True for a pool (gradients preconditioned by Adam, Γ), False for queries (plain gradients).
    keep
        Gets each block of `BLOCK` instances at each checkpoint.

    Raises
    ------
    InputError
        If a query has no label, a gradient is zero or not finite, or a file cannot be used.
    """
    unlabelled = [i for i, item in enumerate(tokens) if not item.label_tokens]
    if unlabelled and not preconditioned:
        raise InputError(
            f"id '{ids[unlabelled[0]]}': no answer within template.max_length tokens, so its loss "
            f"has no gradient ({len(unlabelled)} of {len(ids)} queries); give answers, or raise "
            "template.max_length"
        )
    if unlabelled:
        logging.warning(
            "%d of %d instances have no label after truncation: their gradient counts as 0",
            *(len(unlabelled), len(ids)),
        )
    result = np.empty((len(tokens), len(warm_up) * dimension), np.float32)
    lengths = np.sqrt(np.array(rates) / sum(rates))
    checkpoints = [checkpoints_in(folder / "checkpoints")[-1] for folder in warm_up]
    model = model_for(checkpoints[0], name)
    parameters = _trainable(model)
    size = _size(parameters)
    project = Projection(size, dimension, seed)
    logging.info("%d parameters, projected to %d numbers", size, dimension)

    def part_of(i: int, k: int, adam: Adam | None) -> Matrix:
        vector = gradient(model, parameters, tokens[i])
        vector = project(adam.step(vector) if adam else vector)
        norm = float(vector.norm())
        if not np.isfinite(norm) or not norm:
            fault = "zero" if norm == 0 else "not finite: the warm-up run diverged"
            raise InputError(
                f"id '{ids[i]}': its gradient at {checkpoints[k].name} is {fault}; lower "
                "train.learning_rate, or look at the instance"
            )
        progress.update()
        part: Matrix = (vector * (float(lengths[k]) / norm)).cpu().numpy()
        return part

    def parts_of(block: range, k: int, adam: Adam | None) -> Matrix:
        return np.stack([part_of(i, k, adam) for i in block])

    progress: tqdm[Any] = bar((), "gradients", len(tokens) * len(warm_up))
    with progress:
        for k, folder in enumerate(warm_up):
            load_weights(model, checkpoints[k])
            if tokens:
                check_model(model, tokens)
            adam = read_adam(folder / "state", model, parameters) if preconditioned else None
            for start in range(0, len(tokens), BLOCK):
                block = range(start, min(start + BLOCK, len(tokens)))
                parts = keep(f"{k}-{start:09d}", partial(parts_of, block, k, adam))
                result[start : block.stop, k * dimension : (k + 1) * dimension] = parts
                progress.update(k * len(tokens) + block.stop - progress.n)
    return result


def gradient(model: Any, parameters: Parameters, item: Tokens) -> torch.Tensor:
    """Return the gradient of an instance's mean loss over its labels, (P,); 0 without a label."""
    if not item.label_tokens:
        return torch.zeros(_size(parameters), device=device())
    batch = {name: tensor.to(model.device) for name, tensor in pad([item]).items()}
    loss = step_loss(model, batch, torch.tensor(item.label_tokens))
    parts = torch.autograd.grad(loss, list(parameters.values()), materialize_grads=True)
    return torch.cat([part.reshape(-1) for part in parts])


def read_adam(state: Path, model: Any, parameters: Parameters) -> Adam:
    """Read Adam's moments from a training state, in the order of the parameters.

    Raises InputError if the state is sharded or damaged.
    """
    path = state / "optimizer.pt"
    if (state / "optimizer.bin").is_file():
        raise InputError(
            f"{state}: the optimizer state is sharded over GPUs, but Adam's moments are needed "
            "whole; set hardware.train.gpus to 1 and offload to false, or train.adapter"
        )
    try:
        saved = torch.load(path, map_location=device(), weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, UnpicklingError) as error:
        raise InputError(
            f"{path}: cannot be read ({type(error).__name__}); delete the folder {state.parent} "
            "and run snakemake again to train it again"
        ) from None
    # The Trainer's groups: parameters with weight decay, then the others.
    decaying = set(Trainer.get_decay_parameter_names(None, model))
    names = sorted(parameters, key=lambda name: name not in decaying)
    moments = dict(zip(names, saved["state"].values(), strict=True))
    group = saved["param_groups"][0]
    (beta1, beta2), step = group["betas"], float(moments[names[0]]["step"]) + 1
    scale1, scale2 = 1 / (1 - beta1**step), 1 / (1 - beta2**step)
    first, second = (
        torch.cat([moments[name][key].float().reshape(-1) for name in parameters])
        for key in ("exp_avg", "exp_avg_sq")
    )
    weights = (1 - beta1) * scale1, (1 - beta2) * scale2
    return Adam(first * (beta1 * scale1), second * (beta2 * scale2), weights, group["eps"])


def _size(parameters: Parameters) -> int:
    return sum(parameter.numel() for parameter in parameters.values())


def _trainable(model: Any) -> Parameters:
    """Return the parameters that are trained: all, or those of the adapter."""
    parameters = dict(model.named_parameters())
    names = saved_names(parameters) if has_adapter(model) else parameters
    for name, parameter in parameters.items():
        parameter.requires_grad_(name in names)
    return {name: parameters[name] for name in names}
