"""Sharded training (FSDP): how it rounds, how float16 is resumed, and adapters."""

from pathlib import Path
from typing import Any

import torch
from accelerate.utils import fsdp_utils  # type: ignore[import-untyped]
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy

from nearfirst.hardware import TrainHardware
from nearfirst.model.adapter import has_adapter


def plugin_arguments(hardware: TrainHardware, precision: str, *, on_gpu: bool) -> dict[str, Any]:
    """Return those arguments of accelerate's FSDP plugin that the Trainer has no setting for.

    Matrices multiply in `precision`. Gradients are added up in float32, and so is what the model
    returns: by itself accelerate rounds both, and in float16 a scaled gradient then overflows.
    """
    found: dict[str, Any] = {}
    if precision != "float32":
        found["mixed_precision_policy"] = MixedPrecisionPolicy(
            param_dtype=getattr(torch, precision),
            reduce_dtype=torch.float32,
            output_dtype=torch.float32,
        )
    if hardware.offload:
        found["cpu_offload"] = CPUOffloadPolicy(pin_memory=on_gpu)  # pinning is for a GPU
    return found


def know_adapters() -> None:
    """Have accelerate keep an adapter alone in states, as it does of models of peft's own class."""
    fsdp_utils.is_peft_model = has_adapter


def adapter_weights(model: Any) -> dict[str, Any]:
    """Gather what is trained of a sharded model with an adapter, in the first process alone."""
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
    return get_model_state_dict(model, options=options)


def load_scaler(accelerator: Any, state: Path) -> None:
    """Load the scale of the loss from a state, before the optimizer.

    torch makes room for a sharded optimizer's moments by a step with gradients of zero, for which
    the scaler must be ready (huggingface/accelerate#4289). The Trainer loads it again afterwards.
    """
    scaler = accelerator.scaler
    scaler.load_state_dict(torch.load(state / "scaler.pt", weights_only=True))
    scaler._lazy_init_scale_growth_tracker(scaler._device)
