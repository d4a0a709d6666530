"""One folder of the checkpoints of a run that was trained elsewhere, in the form of those here.

A checkpoint that is one file of safetensors by the names of the model's parameters, and an adapter,
becomes a link. Any other (shards, `.bin`, tensors of other names or beside the parameters) is read
by transformers and written in that form.
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
from nearfirst.model.load import load_config, load_tokenizer
from nearfirst.model.load_errors import DAMAGED, reason

WEIGHTS = "model.safetensors"
WHOLE = (WEIGHTS, f"{WEIGHTS}.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Files one of which a checkpoint with the weights of a whole model has."""

OF_SAVING = {"_name_or_path", "transformers_version", "dtype", "torch_dtype", "use_cache"}
"""Keys of a model's config that say how it was saved, not what it computes."""
OF_BASE = {"base_model_name_or_path", "revision", "inference_mode", "peft_version", "auto_mapping"}
"""Such keys of an adapter's config."""

Shapes = dict[str, list[int]]


def gather(steps: Mapping[int, Path], base: Path | None, output: Path, key: str) -> None:
    """Write `step-*/`, and `model/` with config and tokenizer, of checkpoints by step.

    Parameters
    ----------
    base
        Folder of the model that was tuned, for what the checkpoints lack.
    key
        The section of the config that names them, for messages.

    Raises
    ------
    InputError
        If a step has no weights, or others than its model's; if the models of two steps differ; if
        nothing has a config or a tokenizer, or adapters have no base.
    """
    first = steps[min(steps)]
    adapters = (first / adapter.CONFIG).is_file()
    for step, folder in steps.items():
        where = f"{key}.steps.{step} ({folder})"
        if not folder.is_dir():
            raise InputError(f"{where}: no such folder")
        expected = (adapter.WEIGHTS,) if adapters else WHOLE
        if not any((folder / name).is_file() for name in expected):
            raise InputError(
                f"{where}: no weights in it; expected {' or '.join(expected)}, as "
                "`save_pretrained` writes them"
            )
    if adapters and base is None:
        raise InputError(f"{key}.base is not set, and the checkpoints are adapters of that model")
    model = output / "model"
    model.mkdir()
    (_link_base if adapters else _write_config)(first, base, model, key)
    own_tokenizer = any(first.glob("tokenizer*"))
    if not own_tokenizer and base is None:
        raise InputError(f"{key}.base is not set, and {first} has no tokenizer")
    load_tokenizer(str(first if own_tokenizer else base)).save_pretrained(model)
    form = _adapter_config(first) if adapters else _config(first, base)
    shapes = {} if adapters else _shapes(model)
    for step, folder in steps.items():
        where = f"{key}.steps.{step} ({folder})"
        its = _adapter_config(folder) if adapters else _config(folder, base)
        for name in sorted(its.keys() | form.keys()):
            if its.get(name) != form.get(name):
                raise InputError(
                    f"{where}: another model than that of {first}: its {name} is "
                    f"{its.get(name)!r}, not {form.get(name)!r}"
                )
        target = step_folder(output, step)
        target.mkdir()
        if adapters:
            for name in (adapter.CONFIG, adapter.WEIGHTS):
                _link(folder / name, target)
        elif _found(folder / WEIGHTS, where) == shapes:
            _link(folder / WEIGHTS, target)
        else:
            _rewrite(folder, model, target, where)


def _link(path: Path, folder: Path) -> None:
    (folder / path.name).symlink_to(path.resolve())


def _link_base(_: Path, base: Path | None, model: Path, key: str) -> None:
    assert base
    for path in sorted(base.iterdir()):
        if path.name.startswith(("config.json", "model", "pytorch_model")):
            _link(path, model)


def _write_config(first: Path, base: Path | None, model: Path, key: str) -> None:
    source = first if (first / "config.json").is_file() else base
    if source is None:
        raise InputError(f"{key}.base is not set, and {first} has no config.json")
    try:
        load_config(str(source)).save_pretrained(model)
    except DAMAGED as error:
        raise InputError(f"{source}: its config cannot be used ({reason(error)})") from None


def _config(folder: Path, base: Path | None) -> dict[str, Any]:
    """Return what a checkpoint's config says of the model; one may have that of the base."""
    source = folder if (folder / "config.json").is_file() else base
    try:
        content = load_config(str(source)).to_dict()
    except DAMAGED as error:
        raise InputError(f"{source}: its config cannot be used ({reason(error)})") from None
    return {name: value for name, value in content.items() if name not in OF_SAVING}


def _adapter_config(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / adapter.CONFIG).read_text(encoding="utf-8"))
        return {
            name: sorted(value) if isinstance(value, list) else value  # sets, in any order
            for name, value in content.items()
            if name not in OF_BASE
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / adapter.CONFIG}: cannot be read ({error})") from None


def _shapes(model: Path) -> Shapes:
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(load_config(str(model)))
    return {name: list(parameter.shape) for name, parameter in empty.named_parameters()}


def _found(path: Path, where: str) -> Shapes | None:
    """Return the tensors of a file and their shapes; None if there is no such file."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{where}: {path.name} is damaged ({error}); copy it again") from None


def _rewrite(folder: Path, model: Path, target: Path, where: str) -> None:
    """Write the weights that transformers reads in a folder, by the names of the parameters."""
    try:
        loaded, info = AutoModelForCausalLM.from_pretrained(
            folder,
            config=load_config(str(model)),
            dtype="auto",
            trust_remote_code=False,
            output_loading_info=True,
        )
    except DAMAGED as error:
        raise InputError(f"{where}: its weights cannot be read ({reason(error)})") from None
    for what in ("missing_keys", "mismatched_keys"):
        if wrong := sorted(map(str, info[what])):
            raise InputError(
                f"{where}: its weights are not those of its model: {what.replace('_', ' ')} "
                f"{wrong[0]}, {len(wrong)} in all"
            )
    weights = {name: part.detach().contiguous() for name, part in loaded.named_parameters()}
    save_file(weights, target / WEIGHTS, metadata={"format": "pt"})
    logging.info("%s: written anew in one file of the model's parameters", folder)
