"""The config that makes a figure again: what was set over its preset."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from nearfirst.config import Config

IRRELEVANT = {"preset", "run", "figures", "look", "hardware"}
"""Sections that do not change the numbers of a figure, apart from its own row."""


def provenance(config: Config, preset: Config, figure: str) -> dict[str, Any]:
    """Return the name of the preset, and what a config changes of it that concerns one figure."""
    found = {k: v for k, v in differences(config, preset).items() if k not in IRRELEVANT}
    row = differences(config, preset).get("figures", {}).get(figure)
    return {"preset": config.preset, **found, **({"figures": {figure: row}} if row else {})}


def differences(config: BaseModel, base: BaseModel) -> dict[str, Any]:
    """Return the keys of a config whose values differ from its base, as a config over that base.

    Sections, and rows of tables of sections, are compared key by key. Any other mapping, such as
    the labels of a figure's curves, is replaced as a whole when configs are merged, so it is
    returned as a whole.
    """
    content = config.model_dump(mode="json")
    return {
        key: _difference(getattr(config, key), getattr(base, key), content[key])
        for key in type(config).model_fields
        if getattr(config, key) != getattr(base, key)
    }


def _difference(value: object, base: object, content: Any) -> Any:
    if isinstance(value, BaseModel) and type(value) is type(base):
        return differences(value, base)
    if isinstance(value, Mapping) and isinstance(base, Mapping) and _has_rows(value):
        return {
            name: _difference(row, base.get(name), content[name])
            for name, row in value.items()
            if row != base.get(name)
        }
    return content


def _has_rows(table: Mapping[str, object]) -> bool:
    return all(isinstance(row, BaseModel) for row in table.values())
