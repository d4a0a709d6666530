"""Errors of reading a model folder, and how to word them. Does not import torch."""

import json
import pickle
from importlib.util import find_spec
from pathlib import Path

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

DAMAGED = (
    *(SafetensorError, pickle.UnpicklingError, json.JSONDecodeError),
    *(EOFError, KeyError, IndexError, TypeError, RuntimeError, OSError, ValueError),
    # A config may ask for a package that is not installed.
    *(StrictDataclassError, ImportError),
)
"""Exceptions raised by readers of configs, weights and tokenizers for an unusable file.

A pickle (`.bin`) is read with `weights_only`: anything but tensors raises UnpicklingError.
"""


def reason(error: Exception, name: str | None = None) -> str:
    """Return in a few words why a model, or the tokenizer of the model `name`, cannot be loaded."""
    if name and (missing := lacking(name)):
        return missing
    text = str(error).strip()
    if "trust_remote_code" in text:
        return "it needs code of its own to be executed, which is refused"
    if isinstance(error, pickle.UnpicklingError):
        # Torch's advice is to trust the file.
        return "a pickle that is damaged, or holds more than tensors, is refused"
    if isinstance(error, StrictDataclassError):  # the second line says what is wrong
        return " ".join(text.split())
    return text.splitlines()[0].split(". ")[0] if text else "it ends early"


def lacking(name: str) -> str | None:
    """Return which packages the tokenizer in a folder lacks, as a message; None if all are there.

    Without them transformers gives no hint: it takes the file for another kind of tokenizer.
    """
    folder = Path(name)
    is_sentencepiece = (folder / "tokenizer.model").exists()
    if not is_sentencepiece or (folder / "tokenizer.json").exists() or find_spec("sentencepiece"):
        return None
    return (
        "its tokenizer is a SentencePiece file, and reading that needs sentencepiece and protobuf: "
        "pip install sentencepiece protobuf"
    )
