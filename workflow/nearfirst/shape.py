"""The size of a model, from its files and without torch: the Snakefile reads it at every start."""

import json
import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from nearfirst.memory import Shape
from nearfirst.model.settings import ModelSettings, PretrainSettings
from nearfirst.reward.settings import RewardSettings


def shape_of(settings: ModelSettings, fetched: Path | None) -> Shape | None:
    """Return the shape of the base model; None if unknown.

    `fetched` is the folder of a Hugging Face id, if it is to be looked for.
    """
    if settings.is_pretrained_here:
        return _pretrained(settings.pretrain)
    return shape_of_named(settings, fetched)


def shape_of_named(settings: ModelSettings | RewardSettings, fetched: Path | None) -> Shape | None:
    """Return the shape of a model that the config names, as `shape_of`."""
    given = Path(settings.name or "")
    folder = given if settings.name and given.is_dir() else fetched
    return shape_in(folder, settings.parameters)


def shape_in(folder: Path | None, parameters: int | None = None) -> Shape | None:
    """Return the shape of the model in a folder; None if its parameters cannot be counted.

    What `config.json` does not say is guessed: 12 · layers · hidden² parameters, in a 128th as many
    layers as hidden is wide, and 32,000 tokens, as in LLaMA-2-7B.
    """
    parameters = parameters or (_stored(folder) if folder else None)
    if parameters is None:
        return None
    hidden = round((parameters * 128 / 12) ** (1 / 3))
    config = _config(folder) if folder else {}
    return Shape(
        parameters,
        config.get("hidden_size") or config.get("n_embd") or hidden,
        config.get("num_hidden_layers") or config.get("n_layer") or max(1, hidden // 128),
        config.get("vocab_size") or 32_000,
    )


def _pretrained(its: PretrainSettings) -> Shape:
    """Return the shape of the small Llama: four and three matrices and two norms a layer."""
    layer = 4 * its.hidden_size**2 + 3 * its.hidden_size * its.intermediate_size
    layer += 2 * its.hidden_size
    # The one embedding is tied; a last norm.
    parameters = (its.vocabulary + 1) * its.hidden_size + its.layers * layer
    return Shape(parameters, its.hidden_size, its.layers, its.vocabulary)


def _config(folder: Path) -> Mapping[str, Any]:
    """Return `config.json`, or what it holds of the part for text; empty if it cannot be read."""
    try:
        config = json.loads((folder / "config.json").read_text())
        found: Mapping[str, Any] = config.get("text_config", config)
        return found
    except (OSError, ValueError, AttributeError):
        return {}


def _stored(folder: Path) -> int | None:
    """Count the numbers in a folder's `*.safetensors`, by their headers; None if there are none.

    A file is 8 bytes, the length of its header, and then that in JSON. One that cannot be read
    counts nothing here: who loads it says what is wrong.
    """
    total = 0
    for path in folder.glob("*.safetensors"):
        try:
            with path.open("rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                header = json.loads(file.read(min(length, path.stat().st_size)))
            tensors = [part for name, part in header.items() if name != "__metadata__"]
            total += sum(prod(part["shape"]) for part in tensors)
        except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError):
            return None
    return total or None
