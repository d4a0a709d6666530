"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv:2106.09685), by the package `peft`.

A model with an adapter is the base model with two small matrices beside each of some linear layers;
these alone are trained and saved, in the form and by the names that `peft` reads.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from nearfirst.common.errors import InputError
from nearfirst.model.adapter_settings import AdapterSettings

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""The files of a checkpoint that holds an adapter."""

NAME = "default"
"""What a model calls the one adapter that it has."""


def add_adapter(model: Any, settings: AdapterSettings) -> None:
    """Put a fresh adapter into a model, and freeze all else; it changes no output yet.

    Raises
    ------
    InputError
        If the model has no linear layer of a name in `targets`.
    """
    from peft import LoraConfig  # a quarter of a second: for those who have an adapter
    from peft.tuners.lora import Linear

    every = settings.targets == ["all-linear"]
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules="all-linear" if every else list(settings.targets),
        revision=getattr(model.config, "_commit_hash", None),
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(settings.seed)
    linear = {
        name.rpartition(".")[2]: None
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    wrong = [] if every else [name for name in settings.targets if name not in linear]
    if wrong:
        raise InputError(
            f"train.adapter.targets: this {type(model).__name__} has no linear layers called "
            f"{wrong[0]!r}; it has {', '.join(linear)}"
        )
    model.add_adapter(config, NAME)
    for layer in model.modules():
        if isinstance(layer, Linear):
            layer.lora_variant[NAME] = ScaledInside  # type: ignore[assignment]


class ScaledInside:
    """How a layer adds its adapter: peft's `W x + (alpha / r) B A x`, with two passes fewer.

    A x has as many numbers as the rank, so it is what is scaled, and the sum takes the place of
    W x, which no gradient needs. It serves as one of peft's `LoraVariant`.
    """

    @staticmethod
    def forward(
        layer: Any, active_adapter: str, x: torch.Tensor, result: torch.Tensor, **_: Any
    ) -> torch.Tensor:
        """Return what a layer gives for `x`, (..., inputs); `result`, (..., outputs), is W x."""
        inside = layer.lora_A[active_adapter](x) * layer.scaling[active_adapter]
        return result.add_(layer.lora_B[active_adapter](inside))


def has_adapter(model: Any) -> bool:
    """Return whether a model holds an adapter."""
    return bool(getattr(model, "_hf_peft_config_loaded", False))


def saved_parameters(model: Any) -> dict[str, torch.nn.Parameter]:
    """Return the parameters that a checkpoint holds, by their names there: all, or an adapter's."""
    parameters = dict(model.named_parameters())
    if not has_adapter(model):
        return parameters
    return {saved: parameters[name] for name, saved in saved_names(parameters).items()}


def saved_names(names: Iterable[str]) -> dict[str, str]:
    """Return which of a model's parameters are an adapter's, with their names in a checkpoint."""
    return {
        name: f"base_model.model.{name.replace(f'.{NAME}.', '.')}"
        for name in names
        if ".lora_" in name
    }


def weights_file(model: Any) -> str:
    """Return the name of the file of weights in a checkpoint of a model."""
    return WEIGHTS if has_adapter(model) else "model.safetensors"


def rank_side(name: str) -> int | None:
    """Return which dimension of an adapter's factor is its rank; None if it is no such factor.

    A maps to the rank, and B from it: their shapes are (rank, inputs) and (outputs, rank).
    """
    found = re.search(r"\.lora_(?:embedding_)?([AB])(\.|$)", name)
    return "AB".index(found[1]) if found else None


def saved_adapter(checkpoint: Path, average: int = 1) -> Any:
    """Return the form of the adapter in a checkpoint (a `LoraConfig`); None if it has none.

    Of `average` adapters of this form, side by side, if there are several. Raises InputError if it
    cannot be read, or is of a kind whose mean has another form.
    """
    if not (checkpoint / CONFIG).is_file():
        return None
    from peft import LoraConfig

    try:
        form = LoraConfig.from_pretrained(str(checkpoint))
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{checkpoint / CONFIG}: cannot be read ({error}); delete the folder "
            f"{checkpoint.parent} and run snakemake again: it is trained again"
        ) from None
    if average > 1:
        for key, value in vars(form).items():
            if value and (key.startswith("use_") or key == "lora_bias"):
                raise InputError(
                    f"{checkpoint / CONFIG}: the mean of adapters with {key} is no adapter; set "
                    "evaluate.average: 1"
                )
        form.r *= average
        form.rank_pattern = {name: average * rank for name, rank in form.rank_pattern.items()}
    return form
