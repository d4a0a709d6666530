"""The config that reproduces a figure: the changes to its preset."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from nearfirst.config import Config

IRRELEVANT = {"preset", "run", "figures", "look", "hardware"}
"""Sections that do not change the numbers of a figure, except for its row of `figures`."""


def provenance(config: Config, preset: Config, figure: str) -> dict[str, Any]:
    """Return the name of the preset, and the changes to it that concern one figure."""
    changes = differences(config, preset)
    relevant = {key: value for key, value in changes.items() if key not in IRRELEVANT}
    row = changes.get("figures", {}).get(figure)
    return {"preset": config.preset, **relevant, **({"figures": {figure: row}} if row else {})}


def differences(config: BaseModel, base: BaseModel) -> dict[str, Any]:
    """Return the keys whose values differ from the base, to be merged over it.

    Sections, and rows of tables of sections, are compared key by key. Any other mapping, such as
    the labels of a figure's curves, is returned as a whole, since merging replaces it as a whole.
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
    if (
        isinstance(value, Mapping)
        and isinstance(base, Mapping)
        and all(isinstance(row, BaseModel) for row in value.values())
    ):
        return {
            name: _difference(row, base.get(name), content[name])
            for name, row in value.items()
            if row != base.get(name)
        }
    return content
