"""An ordinary model folder from a quantised GGUF file."""

import logging
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nearfirst.common.errors import InputError
from nearfirst.common.files import writing_folder
from nearfirst.model.load_errors import DAMAGED, reason


def dequantize(folder: Path, output: Path) -> None:
    """Write the model in the GGUF file below `folder` with float32 weights, and its tokenizer.

    The weights stay as coarse as they were: quantising cannot be undone, but what is trained on
    them is not quantised again.

    Raises
    ------
    InputError
        If there is not one GGUF file, or it cannot be read.
    """
    found = sorted(folder.rglob("*.gguf"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InputError(
            f"{folder}: expected one GGUF file, found {names}; set model.package.files"
        )
    (file,) = found
    try:
        quantised = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype=torch.float32, trust_remote_code=False
        )
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except DAMAGED as error:
        raise InputError(f"{file}: cannot be read ({reason(error)})") from None
    # A fresh model of the same shape has no trace of how its weights were stored.
    config = quantised.config.to_dict()
    config.pop("quantization_config", None)
    model = type(quantised)(type(quantised.config)(**config))
    model.load_state_dict(quantised.state_dict())
    with writing_folder(output) as written:
        model.to(torch.float32).save_pretrained(written)
        tokenizer.save_pretrained(written)
    logging.info("%s: %d parameters", file.name, model.num_parameters())
