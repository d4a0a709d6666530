"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv:2106.09685), with the package `peft`.

An adapter adds two small matrices to some linear layers of the base model. Only these are trained
and saved, in the format and under the names that `peft` reads.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from nearfirst.common.errors import InputError
from nearfirst.model.adapter_settings import AdapterSettings

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""The files of a checkpoint that holds an adapter."""

NAME = "default"
"""Name of a model's only adapter."""


def add_adapter(model: Any, settings: AdapterSettings) -> None:
    """Add a fresh adapter, which does not change the outputs yet, and freeze all other weights.

    Raises InputError if the model has no linear layer of a name in `targets`.
    """
    from peft import LoraConfig  # takes a quarter of a second: import it only for adapters
    from peft.tuners.lora import Linear

    all_linear = settings.targets == ["all-linear"]
    config: Any = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules="all-linear" if all_linear else list(settings.targets),
        revision=getattr(model.config, "_commit_hash", None),
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(0)
    layers = {
        name.rpartition(".")[2]: None
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    unknown = [] if all_linear else [name for name in settings.targets if name not in layers]
    if unknown:
        raise InputError(
            f"train.adapter.targets: this {type(model).__name__} has no linear layers called "
            f"{unknown[0]!r}; it has {', '.join(layers)}"
        )
    model.add_adapter(config, NAME)
    # peft keeps a set, whose order differs from process to process, and saves it as a list.
    config.target_modules = sorted(config.target_modules)
    for layer in model.modules():
        if isinstance(layer, Linear):
            layer.lora_variant[NAME] = _ScaledLora  # type: ignore[assignment]


class _ScaledLora:
    """Peft `LoraVariant` that computes `W x + (alpha / r) B A x` with two passes fewer.

    It scales A x, whose size is only the rank, and adds in place to W x, which no gradient needs.
    """

    @staticmethod
    def forward(
        layer: Any, active_adapter: str, x: torch.Tensor, result: torch.Tensor, **_: Any
    ) -> torch.Tensor:
        """Return a layer's output for `x`, (..., inputs); `result`, (..., outputs), is W x."""
        hidden = layer.lora_A[active_adapter](x) * layer.scaling[active_adapter]
        return result.add_(layer.lora_B[active_adapter](hidden))


def has_adapter(model: Any) -> bool:
    """Return whether a model has an adapter."""
    return bool(getattr(model, "_hf_peft_config_loaded", False))


def saved_parameters(model: Any) -> dict[str, torch.Tensor]:
    """Return the tensors in a checkpoint, by their names there: all, or only an adapter's.

    All are the parameters and the buffers that are saved with them, such as the scale of each layer
    of Gemma 4 or the bias that chooses DeepSeek-V3's experts.
    """
    parameters: dict[str, torch.Tensor] = dict(model.named_parameters())
    if not has_adapter(model):
        buffers = dict(model.named_buffers())
        return parameters | {name: buffers[name] for name in model.state_dict() if name in buffers}
    return {saved: parameters[name] for name, saved in saved_names(parameters).items()}


def saved_names(names: Iterable[str]) -> dict[str, str]:
    """Map the names of a model's adapter parameters to their names in a checkpoint."""
    return {
        # peft names the magnitudes of DoRA as if they were parameters of the layer itself.
        name: f"base_model.model.{name.replace(f'.{NAME}.', '.')}".replace(
            ".lora_magnitude_vector.weight", ".lora_magnitude_vector"
        )
        for name in names
        if ".lora_" in name
    }


def weights_file(model: Any) -> str:
    """Return the name of the weights file in a model's checkpoints."""
    return WEIGHTS if has_adapter(model) else "model.safetensors"


def saved_adapter(checkpoint: Path) -> Any:
    """Return the `LoraConfig` of a checkpoint's adapter; None if the checkpoint has no adapter.

    Raises InputError if it cannot be read.
    """
    if not (checkpoint / CONFIG).is_file():
        return None
    from peft import LoraConfig

    try:
        return LoraConfig.from_pretrained(str(checkpoint))
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{checkpoint / CONFIG}: cannot be read ({error}); delete the folder "
            f"{checkpoint.parent} and run snakemake again to train it again"
        ) from None
