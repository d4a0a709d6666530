"""The config that made a figure: what was set over its preset, as a config that makes it again."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from nearfirst.config import Config

UNREAD = {"preset", "look", "hardware", "run"}
"""Sections that change no number."""


def provenance(config: Config, preset: Config, figure: str) -> dict[str, Any]:
    """Return the preset, what differs from it, and the figure's own row.

    Parameters
    ----------
    config
        The whole config.
    preset
        Its preset with nothing set over it.
    figure
        Name of a figure; the rows of other figures are left out.
    """
    changed = {k: v for k, v in _changes(config, preset).items() if k not in UNREAD}
    row = config.figures[figure].model_dump(mode="json")
    return {"preset": config.preset, **changed, "figures": {figure: row}}


def _changes(new: BaseModel, old: BaseModel) -> dict[str, Any]:
    """Return the values that differ, section by section; a row that is new is given whole."""
    changes: dict[str, Any] = {}
    whole = new.model_dump(mode="json")
    for name in type(new).model_fields:
        now, before = getattr(new, name), getattr(old, name, None)
        if now == before:
            continue
        if isinstance(now, BaseModel) and isinstance(before, type(now)):
            changes[name] = _changes(now, before)
        elif _is_table(now):
            changes[name] = {
                key: _row_changes(row, (before or {}).get(key))
                for key, row in now.items()
                if row != (before or {}).get(key)
            }
        else:
            changes[name] = whole[name]
    return changes


def _row_changes(row: BaseModel, before: BaseModel | None) -> dict[str, Any]:
    if before is None or type(row) is not type(before):
        return row.model_dump(mode="json")
    return _changes(row, before)


def _is_table(value: object) -> bool:
    """Return whether a value is a table of rows by name."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(row, BaseModel) for row in value.values())
    )
