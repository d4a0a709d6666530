"""Load a base model by Hugging Face id or folder."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from nearfirst.errors import InputError

T = TypeVar("T")


def device() -> torch.device:
    """Return the first GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def dtype(key: str, precision: str) -> torch.dtype:
    """Return what a precision is to torch. Raises InputError if this machine cannot compute in it.

    `key` is the config's, for the message.
    """
    if precision == "float16" and not torch.cuda.is_available():
        raise InputError(f"{key}: float16 needs a GPU; use float32 on a CPU")
    found: torch.dtype = getattr(torch, precision)
    return found


def load_tokenizer(name: str, revision: str | None = None) -> Any:
    """Load the tokenizer of a model. Raises InputError if it cannot be had, or lacks BOS or EOS."""
    tokenizer = _fetch(name, lambda: AutoTokenizer.from_pretrained(name, revision=revision))
    if tokenizer.bos_token_id is None or tokenizer.eos_token_id is None:
        raise InputError(f"{name}: the template needs a tokenizer with BOS and EOS")
    return tokenizer


def load_model(name: str, revision: str | None = None) -> Any:
    """Load a base model with float32 (master) weights. Raises InputError if it cannot be had."""
    return _fetch(
        name,
        lambda: AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype=torch.float32),
    )


def empty_model(name: str, revision: str | None = None, dtype: torch.dtype = torch.float32) -> Any:
    """Build a model of the same shape without its weights, for checkpoints to be loaded into."""
    config = _fetch(name, lambda: AutoConfig.from_pretrained(name, revision=revision))
    with device():
        return AutoModelForCausalLM.from_config(config, dtype=dtype).eval()


def _fetch(name: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except (OSError, ValueError) as error:
        raise InputError(
            f"model.name: {name!r} cannot be loaded ({str(error).splitlines()[0]}); give a "
            "Hugging Face id that this machine can reach, or the folder of a downloaded model"
        ) from None
