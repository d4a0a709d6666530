"""Errors of reading a model's folder, and how to word them. Does not import torch."""

import json
import pickle

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


def reason(error: Exception) -> str:
    """Return in a few words why a model cannot be loaded."""
    text = str(error).strip()
    if "trust_remote_code" in text:
        return "it needs code of its own to be run, which is refused"
    if isinstance(error, pickle.UnpicklingError):
        # Torch's own advice is to trust the file.
        return "a pickle that is damaged, or holds more than tensors, is refused"
    if isinstance(error, StrictDataclassError):  # its second line says what is wrong
        return " ".join(text.split())
    return text.splitlines()[0].split(". ")[0] if text else "it ends early"
