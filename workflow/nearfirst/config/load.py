"""From the user's config and a preset to a validated `Config`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.config.checks import find_unknown_names, find_unusable_names
from nearfirst.config.errors import explain_all
from nearfirst.config.model import TABLES, Config
from nearfirst.config.rows import Rows
from nearfirst.config.sections import merge
from nearfirst.figures.kinds.query_gap import Settings as QueryGap
from nearfirst.hardware import HardwareSettings
from nearfirst.requests import derive, derive_reward
from nearfirst.shape import shape_of, shape_of_named

Layer = Mapping[str, Any]
"""Part of a config; later layers override earlier ones."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C, eight times as fast, where PyYAML has it."""

STANDARD_FIGURE = {
    "kind": "arrangements",
    "curves": {"NFT": "tma-nearest", "RT": "random", "FFT": "tma-farthest"},
    "reference": "NFT",
}
"""`fig4_NAME` of a data set that the user adds."""


def load(user: Layer, presets: Path) -> Config:
    """Validate the user's config over its preset (a file in `presets`) over the defaults.

    Resources of jobs that `hardware` does not set are derived from the model.

    Raises InputError with one line for each fault: the key, the value, what is wrong, and for an
    unknown key the nearest valid one.
    """
    user = _with_nulls(user)
    preset_layers = _preset_layers(str(user.get("preset", "mini")), presets)
    layers = [_standard_rows(user, preset_layers), *preset_layers, user]
    content: dict[str, Any] = {}
    for layer in layers:
        content = merge(Config, content, layer)
    faults: dict[str, str] = {}
    for table in TABLES:
        if not isinstance(given := user.get(table.name) or {}, Mapping):
            faults[table.name] = (
                f"config key '{table.name}': {given!r} is not a table of rows by name"
            )
            continue
        row_layers = [layer[table.name] for layer in layers if layer.get(table.name)]
        rows = Rows(table, row_layers)
        content[table.name] = rows.resolve()
        faults |= rows.faults
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        faults = explain_all(error, Config) | faults
    if not faults:
        faults = find_unknown_names(config) or find_unusable_names(config) or _fill_sets(config)
    if faults:
        raise InputError("\n".join(faults.values()))
    return config.model_copy(update={"hardware": _derived_hardware(config)})


def check_repeats(file: Path) -> None:
    """Raise InputError if a config file sets a key twice: YAML would silently keep the last one."""
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), LOADER)
    except yaml.YAMLError:  # JSON that is no YAML, as Snakemake has read the file
        return
    if faults := list(_repeats(root)):
        raise InputError("\n".join(f"{file}: config key {fault}" for fault in faults))


def _repeats(node: yaml.Node | None, prefix: str = "") -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for name, value in node.value:
        key, line = f"{prefix}{name.value}", name.start_mark.line + 1
        if key in lines:
            yield f"'{key}' is in lines {lines[key]} and {line}; put them together"
        lines[key] = line
        yield from _repeats(value, f"{key}.")


def _with_nulls(value: Any) -> Any:
    """Replace the text "null" by None: `--config` passes every word as text."""
    if isinstance(value, Mapping):
        return {key: _with_nulls(part) for key, part in value.items()}
    return None if value == "null" else value


def _preset_layers(name: str, presets: Path) -> list[Layer]:
    """Return the layers of a preset: those of the preset it is `like`, then its own."""
    path = presets / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in presets.glob("*.yaml"))
        raise InputError(
            f"config key 'preset': {name!r} is not one of the presets {', '.join(known)}"
            f"{did_you_mean(name, known)}"
        )
    layer = yaml.load(path.read_text(encoding="utf-8"), LOADER) or {}
    like = layer.pop("like", None)
    return [*(_preset_layers(like, presets) if like else []), layer]


def _standard_rows(user: Layer, preset_layers: list[Layer]) -> Layer:
    """Return the layer below the preset: a representation, and figures of data the user adds."""
    in_presets = {name for layer in preset_layers for name in layer.get("data") or {}}
    data, evaluate = user.get("data"), user.get("evaluate")
    also = evaluate.get("also") if isinstance(evaluate, Mapping) else None
    figures: dict[str, Any] = {}
    for name, row in data.items() if isinstance(data, Mapping) else ():
        if row and name not in in_presets:
            figures[f"fig4_{name}"] = {**STANDARD_FIGURE, "dataset": name}
            figures[f"advice_{name}"] = {"kind": "advice", "dataset": name}
            if isinstance(also, list) and any(other != name for other in also):
                figures[f"elsewhere_{name}"] = {"kind": "query-gap", "dataset": name}
    return {"representations": {"text": {"kind": "text"}}, "figures": figures}


def _fill_sets(config: Config) -> dict[str, str]:
    """Add `evaluate.also` to the sets of figures; return a line for each figure with too few."""
    faults = {}
    for name, figure in config.figures.items():
        if isinstance(figure, QueryGap):
            figure = config.figures[name] = figure.also(config.evaluate.also, config)
            if len(figure.sets) < 2:
                key = f"figures.{name}.sets"
                faults[key] = (
                    f"config key '{key}': {', '.join(figure.sets)} alone; name two sets, or other "
                    "data sets in evaluate.also"
                )
    return faults


def _derived_hardware(config: Config) -> HardwareSettings:
    """Return `hardware` with the keys that it leaves open derived from the models."""
    hardware, fetched = config.hardware, Path("results", config.run or "", "raw/model")
    train, template, reward = config.in_segments(config.train), config.template, config.reward
    shape = shape_of(config.model, fetched / "model")
    if shape:
        hardware = derive(hardware, shape, train, template, config.evaluate, config.generate)
    if reward.name:
        shape = shape_of_named(reward, fetched / "reward")
    if shape:
        hardware = derive_reward(hardware, shape, reward, train, template)
    return hardware
