"""Load a base model by Hugging Face id or folder. Code that comes with it is never run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from nearfirst.common.errors import InputError
from nearfirst.model.adapter import NAME, saved_adapter
from nearfirst.model.device import device
from nearfirst.model.load_errors import DAMAGED, reason

T = TypeVar("T")


def load_tokenizer(name: str, revision: str | None = None) -> Any:
    """Load the tokenizer of a model. Raises InputError if it cannot be loaded, or lacks an EOS."""
    tokenizer = _load(
        name,
        # If trust_remote_code is not given, transformers asks on the terminal and may run code.
        lambda: AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=False),
    )
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"{name}: its tokenizer has no end-of-text token, so no answer would end; set "
            "eos_token in its tokenizer_config.json"
        )
    return tokenizer


def load_config(name: str, revision: str | None = None) -> Any:
    """Load the config of a model.

    Raises the errors in `DAMAGED`; ValueError if the model needs code from outside transformers.
    """
    config = AutoConfig.from_pretrained(name, revision=revision, trust_remote_code=False)
    attention = config._attn_implementation
    if "/" in str(attention):
        raise ValueError(f"its attention {attention!r} is code of the hub, which is not run")
    return config


def load_model(name: str, revision: str | None = None) -> Any:
    """Load a base model with float32 (master) weights. Raises InputError if it cannot be loaded."""

    def load() -> Any:
        load_config(name, revision)
        return AutoModelForCausalLM.from_pretrained(
            name, revision=revision, dtype=torch.float32, trust_remote_code=False
        )

    return _load(name, load)


def model_for(
    checkpoint: Path,
    name: str,
    revision: str | None = None,
    dtype: torch.dtype = torch.float32,
    average: int = 1,
) -> Any:
    """Build a model to load checkpoints like this one into: without weights, or the base's alone.

    The base model's weights are read where the checkpoint holds an adapter. It gets the rank of
    `average` of them, which their mean has. Raises InputError if the model cannot be loaded, the
    adapter is none of this model, or such adapters have no mean.
    """
    form = saved_adapter(checkpoint, average)
    if form is None:
        return empty_model(name, revision, dtype)
    model = load_model(name, revision).to(dtype)
    try:
        model.add_adapter(form, NAME)
    except ValueError as error:
        raise InputError(
            f"{checkpoint}: its adapter does not fit the base model {name} ({error})"
        ) from None
    return model.to(device()).eval()


def empty_model(name: str, revision: str | None = None, dtype: torch.dtype = torch.float32) -> Any:
    """Build a model of the same shape without its weights, to load checkpoints into."""
    config = _load(name, lambda: load_config(name, revision))
    with device():
        return AutoModelForCausalLM.from_config(config, dtype=dtype).eval()


def _load(name: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except DAMAGED as error:
        raise InputError(
            f"model.name: {name!r} cannot be loaded ({reason(error, name)}); give a "
            "Hugging Face id that this machine can reach, or the folder of a downloaded model"
        ) from None
