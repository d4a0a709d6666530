"""The model and the tokens of representations that the base model gives."""

from typing import Any

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.data.instances import conversations
from nearfirst.embed.registry import Given
from nearfirst.model import load, template
from nearfirst.model.device import device


def name_of(given: Given) -> str:
    """Return the base model's name. Raises InputError if none is given."""
    if given.model is None:
        raise InputError("this kind of representation needs --model")
    return given.model


def base_model(given: Given) -> Any:
    """Return the base model, float32, on the GPU or the CPU. Raises what `load_model` raises."""
    return load.load_model(name_of(given)).to(device()).eval()


def encoded(instances: pa.Table, given: Given) -> list[template.Tokens]:
    """Return the tokens of each instance in the template of training."""
    tokenizer = load.load_tokenizer(name_of(given))
    its = given.template
    return template.encode(conversations(instances), tokenizer, its.max_length, its.format)
