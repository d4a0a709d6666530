"""The size of a model, from its files. Without torch: the Snakefile asks at every start."""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from nearfirst.memory import Shape
from nearfirst.model.settings import ModelSettings, PretrainSettings
from nearfirst.reward.settings import RewardSettings


def shape_of(settings: ModelSettings, fetched: Path | None) -> Shape | None:
    """Return the shape of the base model; None if unknown.

    `fetched` is the folder to which a Hugging Face id is fetched; None ignores it.
    """
    if settings.is_pretrained_here:
        return _small_llama(settings.pretrain)
    return shape_of_named(settings, fetched)


def shape_of_named(settings: ModelSettings | RewardSettings, fetched: Path | None) -> Shape | None:
    """Return the shape of a model that the config names; None and `fetched` as in `shape_of`.

    What `config.json` lacks is guessed from LLaMA-2-7B: 12 · layers · hidden² parameters, hidden /
    128 layers and 32,000 tokens.
    """
    named = Path(settings.name or "")
    folder = named if settings.name and named.is_dir() else fetched
    parameters = settings.parameters or (_count_stored(folder) if folder else None)
    if parameters is None:
        return None
    hidden = round((parameters * 128 / 12) ** (1 / 3))
    config = _read_config(folder) if folder else {}
    return Shape(
        parameters,
        config.get("hidden_size") or config.get("n_embd") or hidden,
        config.get("num_hidden_layers") or config.get("n_layer") or max(1, hidden // 128),
        config.get("vocab_size") or 32_000,
    )


def _small_llama(settings: PretrainSettings) -> Shape:
    """Return the shape of the Llama that is pretrained here."""
    hidden = settings.hidden_size
    # Attention, MLP and two norms of a layer.
    layer = 4 * hidden**2 + 3 * hidden * settings.intermediate_size + 2 * hidden
    # One tied embedding, and the last norm.
    parameters = (settings.vocabulary + 1) * hidden + settings.layers * layer
    return Shape(parameters, hidden, settings.layers, settings.vocabulary)


def _read_config(folder: Path) -> Mapping[str, Any]:
    """Return `config.json`, or its part for text; empty if it cannot be read."""
    try:
        config = json.loads((folder / "config.json").read_text())
        text_config: Mapping[str, Any] = config.get("text_config", config)
        return text_config
    except (OSError, ValueError, AttributeError):
        return {}


def _count_stored(folder: Path) -> int | None:
    """Count the numbers in a folder's `*.safetensors`, by their headers; None if there are none.

    A damaged file gives None: the program that loads it reports what is wrong.
    """
    total = 0
    try:
        for path in folder.glob("*.safetensors"):
            with safe_open(path, framework="numpy") as file:
                total += sum(prod(file.get_slice(name).get_shape()) for name in file.offset_keys())
    except (SafetensorError, OSError):
        return None
    return total or None
