"""Errors of reading a model's folder, and how to word them. Does not import torch."""

import json
import pickle
from importlib.util import find_spec
from pathlib import Path

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

DAMAGED = (
    *(SafetensorError, pickle.UnpicklingError, json.JSONDecodeError),
    *(EOFError, KeyError, IndexError, TypeError, RuntimeError, OSError, ValueError),
    # A config may ask for a package that is not there.
    *(StrictDataclassError, ImportError),
)
"""What the readers of configs, weights and tokenizers raise over an unusable file.

A pickle (`.bin`) is read with `weights_only`: anything but tensors is an UnpicklingError.
"""


def reason(error: Exception, name: str | None = None) -> str:
    """Return in a few words why a model cannot be loaded, or the tokenizer of the one called so."""
    if name and (why := lacking(name)):
        return why
    text = str(error).strip()
    if "trust_remote_code" in text:
        return "it needs code of its own to be run, which is refused"
    if isinstance(error, pickle.UnpicklingError):
        # Torch's own advice is to trust the file.
        return "a pickle that is damaged, or holds more than tensors, is refused"
    if isinstance(error, StrictDataclassError):  # its second line says what is wrong
        return " ".join(text.split())
    return text.splitlines()[0].split(". ")[0] if text else "it ends early"


def lacking(name: str) -> str | None:
    """Return which packages are not there that the tokenizer in a folder needs; None if all are.

    Of a missing one transformers says nothing: it takes the file for one of another kind.
    """
    folder = Path(name)
    if (folder / "tokenizer.json").exists() or not (folder / "tokenizer.model").exists():
        return None
    packages = {"sentencepiece": "sentencepiece", "protobuf": "google.protobuf"}
    missing = [package for package, module in packages.items() if not _is_there(module)]
    if not missing:
        return None
    return (
        "its tokenizer is a SentencePiece file, and reading that needs "
        f"{' and '.join(missing)}: pip install {' '.join(missing)}"
    )


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is not there
        return False
