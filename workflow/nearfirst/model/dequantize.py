"""An ordinary model folder from a quantized GGUF file."""

import logging
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nearfirst.common.errors import InputError
from nearfirst.common.files import writing_folder
from nearfirst.model.load import forget_source
from nearfirst.model.load_errors import DAMAGED, reason


def dequantize(folder: Path, output: Path) -> None:
    """Write the model from the GGUF file below `folder` with float32 weights, and its tokenizer.

    Quantization cannot be undone: the weights stay as coarse as they were. But weights trained from
    them are not quantized again. Raises InputError if there is not exactly one GGUF file, or it
    cannot be read.
    """
    files = sorted(folder.rglob("*.gguf"))
    if len(files) != 1:
        names = ", ".join(path.name for path in files) or "none"
        raise InputError(
            f"{folder}: expected one GGUF file, found {names}; set model.package.files"
        )
    (file,) = files
    try:
        quantized = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype=torch.float32, trust_remote_code=False
        )
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except DAMAGED as error:
        raise InputError(f"{file}: cannot be read ({reason(error)})") from None
    # A fresh model of the same shape keeps no trace of how its weights were stored.
    config = quantized.config.to_dict()
    config.pop("quantization_config", None)
    model = type(quantized)(type(quantized.config)(**config))
    model.load_state_dict(quantized.state_dict())
    forget_source(tokenizer)
    with writing_folder(output) as written:
        model.to(torch.float32).save_pretrained(written)
        tokenizer.save_pretrained(written)
    logging.info("%s: %d parameters", file.name, model.num_parameters())
