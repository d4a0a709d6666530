"""How many parameters the base model has, before there is one."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.model.settings import ModelSettings, PretrainSettings


@dataclass(frozen=True)
class Parameters:
    """Their number, and who says so."""

    number: int
    source: str


def find_parameters(
    settings: ModelSettings, given: int | None, remade: Collection[str]
) -> Parameters | None:
    """Return the parameters of the base model; None if nothing tells them yet.

    Parameters
    ----------
    settings
        Which model.
    given
        What the user says; it counts before all else.
    remade
        Outputs of the jobs to come: a model among them is not yet the one to count.

    Raises
    ------
    InputError
        If a `config.json` that is there cannot be read.
    """
    if given is not None:
        return Parameters(given, "--parameters")
    if settings.name is None:
        folder, record = Path("results/model"), "results/model"
    elif Path(settings.name).is_dir():
        folder, record = Path(settings.name), ""
    else:
        folder, record = Path("results/raw/model"), "results/raw/model/fetched.json"
    path = folder / "config.json"
    if record not in remade and path.is_file():
        return Parameters(of_config(path), str(path))
    if settings.name is None:
        return Parameters(of_pretraining(settings.pretrain), "model.pretrain")
    if settings.parameters is not None:
        return Parameters(settings.parameters, "model.parameters")
    return None


def of_pretraining(settings: PretrainSettings) -> int:
    """Return the parameters of the small Llama that is pretrained here (its embedding is tied)."""
    return of_llama(
        {
            "vocab_size": settings.vocabulary,
            "hidden_size": settings.hidden_size,
            "num_hidden_layers": settings.layers,
            "num_attention_heads": settings.heads,
            "intermediate_size": settings.intermediate_size,
            "tie_word_embeddings": True,
        }
    )


def of_config(path: Path) -> int:
    """Return the parameters of a model from its `config.json`. Raises InputError if it is none."""
    try:
        shape = json.loads(path.read_text())
        if shape.get("model_type") == "llama":
            return of_llama(shape)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: no model's config ({type(error).__name__}: {error}); make the model again, "
            "or give --parameters"
        ) from None
    return _built(path)


def of_llama(shape: Mapping[str, Any]) -> int:
    """Return the parameters of a Llama from the keys of its `config.json`.

    Each layer has four projections of attention, those of keys and values narrower with grouped
    queries, three of the feed-forward part, and two norms; a norm follows the last. An output
    embedding of its own counts as much as the input's.
    """
    hidden, layers = shape["hidden_size"], shape["num_hidden_layers"]
    heads, inner = shape["num_attention_heads"], shape["intermediate_size"]
    width = shape.get("head_dim") or hidden // heads
    queries, keys = heads * width, (shape.get("num_key_value_heads") or heads) * width
    attention = 2 * hidden * queries + 2 * hidden * keys
    if shape.get("attention_bias"):
        attention += queries + 2 * keys + hidden
    feed_forward = 3 * hidden * inner
    if shape.get("mlp_bias"):
        feed_forward += 2 * inner + hidden
    embeddings = 1 if shape.get("tie_word_embeddings") else 2
    return int(
        embeddings * shape["vocab_size"] * hidden
        + layers * (attention + feed_forward + 2 * hidden)
        + hidden
    )


def _built(path: Path) -> int:
    """Return the parameters of a model that is built without memory for its weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(path.parent, trust_remote_code=False)
        with torch.device("meta"):
            return int(AutoModelForCausalLM.from_config(config).num_parameters())
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: its parameters cannot be counted ({str(error).splitlines()[0]}); give "
            "--parameters"
        ) from None
