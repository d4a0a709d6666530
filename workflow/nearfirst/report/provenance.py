"""The config that makes a figure again."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def differences(config: BaseModel, base: BaseModel) -> dict[str, Any]:
    """Return the keys of a config whose values differ from its base, as a config over that base.

    Sections, and rows of tables of sections, are compared key by key. Any other mapping, such as
    the labels of a figure's curves, is replaced as a whole when configs are merged, so it is
    returned as a whole.
    """
    found: dict[str, Any] = {}
    content = config.model_dump(mode="json")
    for key in type(config).model_fields:
        value, other = getattr(config, key), getattr(base, key)
        if value != other:
            found[key] = _difference(value, other, content[key])
    return found


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
