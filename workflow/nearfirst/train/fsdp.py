"""Sharded training (FSDP): rounding, states, resuming in float16, adapters, and dropout."""

from pathlib import Path
from typing import Any

import torch
from accelerate.utils import fsdp_utils  # type: ignore[import-untyped]
from torch.distributed.algorithms._checkpoint import checkpoint_wrapper as recomputed
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy

from nearfirst.hardware import TrainHardware
from nearfirst.model.adapter import has_adapter

_wrap = recomputed.checkpoint_wrapper


def plugin_arguments(hardware: TrainHardware, precision: str, *, on_gpu: bool) -> dict[str, Any]:
    """Return the arguments of accelerate's FSDP plugin for which the Trainer has no setting.

    Matrices multiply in `precision`; gradients are summed and outputs returned in float32. By
    default accelerate rounds both, and a scaled gradient then overflows in float16.
    """
    arguments: dict[str, Any] = {}
    if precision != "float32":
        arguments["mixed_precision_policy"] = MixedPrecisionPolicy(
            param_dtype=getattr(torch, precision),
            reduce_dtype=torch.float32,
            output_dtype=torch.float32,
        )
    if hardware.offload:
        arguments["cpu_offload"] = CPUOffloadPolicy(pin_memory=on_gpu)
    return arguments


def correct_accelerate() -> None:
    """Make accelerate handle states, adapters and dropout as they must be here."""
    # Gather states in CPU memory, and load them from there, tensor by tensor, as with several
    # processes. A single one, which offloads, would have the whole state on the GPU.
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, broadcast_from_rank0=True)
    fsdp_utils._prepare_sd_options = lambda _: options
    # Save only the adapter in states, as for models of peft's class.
    fsdp_utils.is_peft_model = has_adapter
    # Layers that recompute their activations draw the same dropout again. Otherwise gradients of
    # families with dropout (GPT-2, OPT) would be wrong.
    recomputed.checkpoint_wrapper = lambda layer, **options: _wrap(
        layer, **{**options, "preserve_rng_state": True}
    )


def adapter_weights(model: Any) -> dict[str, Any]:
    """Gather the trained weights of a sharded model with an adapter, in the first process only."""
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
    return get_model_state_dict(model, options=options)


def scale_on_cpu(scaler: Any) -> None:
    """Keep the loss scale in CPU memory, where offloaded gradients are.

    On the GPU it would be copied to them without waiting for the copy, so that gradients could be
    divided by a number that has not arrived.
    """
    scaler._lazy_init_scale_growth_tracker(torch.device("cpu"))


def load_scaler(accelerator: Any, state: Path) -> None:
    """Load the loss scaler from a state, before the optimizer.

    torch allocates a sharded optimizer's moments by taking a step with zero gradients, for which
    the scaler must be ready (huggingface/accelerate#4289). The Trainer later loads it again.
    """
    scaler = accelerator.scaler
    scaler.load_state_dict(torch.load(state / "scaler.pt", weights_only=True))
    if scaler._scale is None:
        scaler._lazy_init_scale_growth_tracker(scaler._device)
