"""Gather the checkpoints of a run that was trained elsewhere in one folder, in our form.

An adapter, or a single safetensors file with the names of the model's parameters, becomes a link.
Other weights (shards, `.bin`, further tensors or other names) are read by transformers and
rewritten.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from nearfirst.common.errors import InputError
from nearfirst.model import adapter
from nearfirst.model.checkpoints import step_folder
from nearfirst.model.load import load_config, load_tokenizer, misfit
from nearfirst.model.load_errors import DAMAGED, reason

WEIGHTS = "model.safetensors"
MODEL_FILES = tuple(
    f"{name}{suffix}" for name in (WEIGHTS, "pytorch_model.bin") for suffix in ("", ".index.json")
)
"""A checkpoint with the weights of a whole model has one of these files."""

SAVING_KEYS = {
    *("_name_or_path", "transformers_version", "dtype", "torch_dtype", "use_cache"),
    # Trainers set them to those of their tokenizer.
    *("bos_token_id", "eos_token_id", "pad_token_id"),
}
"""Keys of a model's config that say how it was saved or used, not what it computes."""
PEFT_KEYS = {
    *("base_model_name_or_path", "revision", "inference_mode", "peft_version", "auto_mapping")
}
"""The same for an adapter's config."""

Shapes = dict[str, list[int]]


def gather(steps: Mapping[int, Path], base: Path | None, output: Path, key: str) -> None:
    """Write `step-*/` for the checkpoint of each step, and `model/` with config and tokenizer.

    `base` is the folder of the model that was tuned, for what the checkpoints lack, and `key` the
    section of the config, for messages.

    Raises
    ------
    InputError
        If a step has no weights, or its weights do not fit its model; if the models of two steps
        differ; if there is no config or tokenizer, or no base for adapters.
    """
    first = steps[min(steps)]
    is_adapter = (first / adapter.CONFIG).is_file()
    places = {step: f"{key}.steps.{step} ({folder})" for step, folder in steps.items()}
    for step, folder in steps.items():
        if not folder.is_dir():
            raise InputError(f"{places[step]}: no such folder")
        expected = (adapter.WEIGHTS,) if is_adapter else MODEL_FILES
        if not any((folder / name).is_file() for name in expected):
            raise InputError(
                f"{places[step]}: no weights in it; expected {' or '.join(expected)}, as "
                "`save_pretrained` writes them"
            )
    model = output / "model"
    model.mkdir()
    if not is_adapter:
        config = _read_config(first, base, key, copy_to=model)
    elif base is None:
        raise InputError(f"{key}.base is not set, but the checkpoints are adapters and need it")
    else:
        config = _read_adapter_config(first)
        for path in sorted(base.iterdir()):
            if path.name.startswith(("config.json", "model", "pytorch_model")):
                _link(path, model)
    has_tokenizer = any(first.glob("tokenizer*"))
    if not has_tokenizer and base is None:
        raise InputError(f"{key}.base is not set, and {first} has no tokenizer")
    load_tokenizer(str(first if has_tokenizer else base)).save_pretrained(model)
    shapes = {} if is_adapter else _parameter_shapes(model)
    for step, folder in steps.items():
        other = _read_adapter_config(folder) if is_adapter else _read_config(folder, base, key)
        for name in sorted(other.keys() | config.keys()):
            if other.get(name) != config.get(name):
                raise InputError(
                    f"{places[step]}: not the same model as {first}: its {name} is "
                    f"{other.get(name)!r}, not {config.get(name)!r}"
                )
        target = step_folder(output, step)
        target.mkdir()
        if is_adapter:
            _check_adapter(folder / adapter.WEIGHTS, places[step])
            _link(folder / adapter.CONFIG, target)
            _link(folder / adapter.WEIGHTS, target)
        elif _tensor_shapes(folder / WEIGHTS, places[step]) == shapes:
            _link(folder / WEIGHTS, target)
        else:
            _rewrite(folder, model, target, places[step])


def _link(path: Path, folder: Path) -> None:
    (folder / path.name).symlink_to(path.resolve())


def _read_config(
    folder: Path, base: Path | None, key: str, copy_to: Path | None = None
) -> dict[str, Any]:
    """Return the part of a checkpoint's config, or else of the base's, that defines the model."""
    source = folder if (folder / "config.json").is_file() else base
    if source is None:
        raise InputError(f"{key}.base is not set, and {folder} has no config.json")
    try:
        config = load_config(str(source))
        content = config.to_dict()
        if copy_to:
            config.save_pretrained(copy_to)
    except DAMAGED as error:
        raise InputError(f"{source}: its config cannot be used ({reason(error)})") from None
    return _defining(content)


def _defining(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the entries that define a model, also those of its parts, as `text_config.KEY`."""
    entries: dict[str, Any] = {}
    for name, value in config.items():
        if name not in SAVING_KEYS:
            is_part = name.endswith("_config") and isinstance(value, dict)
            key = f"{prefix}{name}"
            entries |= _defining(value, f"{key}.") if is_part else {key: value}
    return entries


def _read_adapter_config(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / adapter.CONFIG).read_text(encoding="utf-8"))
        return {
            name: sorted(value) if isinstance(value, list) else value  # sets, in any order
            for name, value in content.items()
            if name not in PEFT_KEYS
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / adapter.CONFIG}: cannot be read ({error})") from None


def _check_adapter(path: Path, place: str) -> None:
    """Raise InputError if an adapter has more than low-rank matrices, as with `modules_to_save`."""
    if others := sorted(name for name in _tensor_shapes(path, place) or () if ".lora_" not in name):
        raise InputError(
            f"{place}: only low-rank matrices (LoRA) of adapters are read, and its adapter holds "
            f"{others[0]}; write whole models with peft's merge_and_unload, and name these"
        )


def _parameter_shapes(model: Path) -> Shapes:
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(load_config(str(model)))
    return {name: list(tensor.shape) for name, tensor in adapter.saved_parameters(empty).items()}


def _tensor_shapes(path: Path, place: str) -> Shapes | None:
    """Return the shapes of the tensors in a file; None if there is no such file."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{place}: {path.name} is damaged ({error}); copy it again") from None


def _rewrite(folder: Path, model: Path, target: Path, place: str) -> None:
    """Write the weights that transformers reads from a folder, by the names of the parameters."""
    try:
        loaded, info = AutoModelForCausalLM.from_pretrained(
            folder,
            config=load_config(str(model)),
            dtype="auto",
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # `misfit` names them
            output_loading_info=True,
        )
    except DAMAGED as error:
        raise InputError(f"{place}: its weights cannot be read ({reason(error)})") from None
    if fault := misfit(loaded, info):
        raise InputError(f"{place}: {fault}")
    weights = adapter.saved_parameters(loaded)
    weights = {name: part.detach().contiguous() for name, part in weights.items()}
    save_file(weights, target / WEIGHTS, metadata={"format": "pt"})
    logging.info("%s: rewritten as one file with the model's parameters", folder)
