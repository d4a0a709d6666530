"""Load a base model by Hugging Face id or folder. Code that comes with it is never executed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.integrations import sdpa_attention

from nearfirst.common.errors import InputError
from nearfirst.model.adapter import NAME, saved_adapter
from nearfirst.model.device import device
from nearfirst.model.load_errors import DAMAGED, reason
from nearfirst.model.tokenizer import load_tokenizer as read_tokenizer

_use_gqa = sdpa_attention.use_gqa_in_sdpa


def _use_gqa_with_flash(mask: torch.Tensor | None, key: torch.Tensor, value: torch.Tensor) -> bool:
    """Return whether attention gets fewer heads of keys than of queries.

    On a GPU only the flash kernel can use them (torch 2.13), for 16-bit numbers from Ampere on. The
    others would fall back to one that holds the weights of all pairs of tokens. For them the heads
    are repeated.
    """
    if key.device.type == "cuda":
        is_cast = torch.is_autocast_enabled("cuda")
        dtype = torch.get_autocast_dtype("cuda") if is_cast else key.dtype
        if dtype.itemsize > 2 or torch.cuda.get_device_capability(key.device) < (8, 0):
            return False
    return bool(_use_gqa(mask, key, value))


sdpa_attention.use_gqa_in_sdpa = _use_gqa_with_flash

# On Hopper and Blackwell torch 2.13 prefers cuDNN's attention for 16-bit numbers. It builds a plan
# for each new shape, and nearly every batch and every token of an answer has a shape of its own: 23
# to 37 ms on an H100, up to a second on a B200. With fewer than 8 heads of keys, answers were wrong
# on a B200 (pytorch#193893). Flash and memory-efficient attention are left.
torch.backends.cuda.enable_cudnn_sdp(False)


def load_tokenizer(name: str) -> Any:
    """Load a model's tokenizer. Raises InputError if it cannot be loaded, or has no EOS."""
    tokenizer = read_tokenizer(name, "model.name")
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"{name}: the tokenizer has no end-of-text token, so no answer would end; set "
            "eos_token in its tokenizer_config.json"
        )
    forget_source(tokenizer)
    return tokenizer


def forget_source(tokenizer: Any) -> None:
    """Save a tokenizer to the same bytes, whether it came from a folder, or without a network."""
    for key in ("is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(key, None)


def load_config(name: str) -> Any:
    """Load a model's config. Raises the errors in `DAMAGED`, also if the model brings code."""
    config = AutoConfig.from_pretrained(name, trust_remote_code=False)
    attention = config._attn_implementation
    if "/" in str(attention):
        raise ValueError(f"its attention {attention!r} is code of the hub, which is not executed")
    return config


def load_model(name: str) -> Any:
    """Load a base model with float32 (master) weights. Raises InputError if it cannot be loaded."""
    with _cannot_be_loaded(name):
        load_config(name)
        model, info = AutoModelForCausalLM.from_pretrained(
            name,
            dtype=torch.float32,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # `misfit` names them
            output_loading_info=True,
        )
        if fault := misfit(model, info):
            raise ValueError(fault)
    return model


def misfit(model: Any, info: dict[str, Any]) -> str:
    """Return why weights are not those of the model in their config; "" if they are.

    transformers draws missing weights at random. Weights that the config calls equal, but are not,
    it keeps apart, which a model built from the config does not.
    """
    mismatched = [
        f"{name} (of shape {list(stored)}, by its config {list(shape)})"
        for name, stored, shape in info["mismatched_keys"]
    ]
    for fault, names in (("missing", info["missing_keys"]), ("mismatched", mismatched)):
        if names:
            first = min(names)
            return f"its weights do not fit its model: {fault} keys {first}, {len(names)} in all"
    tied = model.get_expanded_tied_weights_keys(all_submodels=True)
    if untied := sorted(tied.keys() - model.all_tied_weights_keys.keys()):
        return (
            f"by its config {untied[0]} is the same as {tied[untied[0]]}, but its weights differ: "
            "set tie_word_embeddings to false in its config.json"
        )
    return ""


def model_for(checkpoint: Path, name: str, dtype: torch.dtype = torch.float32) -> Any:
    """Build a model into which checkpoints like this one can be loaded.

    If the checkpoint holds an adapter, the base model's weights are read. Otherwise the model has
    no weights yet. Raises InputError if the model cannot be loaded, or the adapter does not fit it.
    """
    config = saved_adapter(checkpoint)
    if config is None:
        return empty_model(name, dtype)
    model = convert_weights(load_model(name), dtype)
    try:
        model.add_adapter(config, NAME)
    except ValueError as error:
        raise InputError(
            f"{checkpoint}: its adapter does not fit the base model {name} ({error})"
        ) from None
    # Autocast keeps the converted weights only of those that could be trained.
    return model.requires_grad_().to(device()).eval()


def convert_weights(model: Any, dtype: torch.dtype) -> Any:
    """Convert the weights of a model to a dtype, and return it; its buffers keep theirs.

    `model.to` would round the frequencies of rotary positions too. In float16 an angle at position
    1,000 is then wrong by up to 0.16, which changes losses far more than rounded weights do.
    """
    for weight in model.parameters():
        weight.data = weight.data.to(dtype)
    return model


def empty_model(name: str, dtype: torch.dtype = torch.float32) -> Any:
    """Build a model of the same shape without weights, into which checkpoints can be loaded."""
    with _cannot_be_loaded(name):
        config = load_config(name)
    with device():
        return AutoModelForCausalLM.from_config(config, dtype=dtype).eval()


@contextmanager
def _cannot_be_loaded(name: str) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise InputError(
            f"model.name: {name!r} cannot be loaded ({reason(error, name)}); give a "
            "Hugging Face id that this machine can reach, or the folder of a downloaded model"
        ) from None
