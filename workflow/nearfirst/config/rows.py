"""Rows of the config's tables (`data`, `representations`, `arrangements`, …), each by its name.

One key of a row (`format`, `kind`, `method`) chooses its type; `like: NAME` starts from another
row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from nearfirst.common.named_modules import Registry, did_you_mean
from nearfirst.common.settings import Section
from nearfirst.config.errors import explain_all
from nearfirst.config.sections import merge

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""Names are parts of paths, and of commands that do not quote them."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A key of the config that holds rows by name, and the types of the rows.

    `default` is the type of a row that chooses none; None if every row must choose.
    """

    name: str
    types: Registry[Any]
    default: str | None = None


class _RowError(Exception):
    """A row that cannot be used: its key, and why."""


@dataclass
class Rows:
    """The rows of one table in several layers of a config; later layers override earlier ones.

    `resolve` fills `faults`: one line for each wrong key.
    """

    table: Table
    layers: Sequence[Mapping[str, Any]]
    faults: dict[str, str] = field(default_factory=dict)

    def resolve(self) -> dict[str, Section]:
        """Return the valid rows, in the order in which the layers first name them."""
        by_lower: dict[str, str] = {}
        rows = {}
        for name in dict.fromkeys(name for layer in self.layers for name in layer):
            key = f"{self.table.name}.{name}"
            try:
                if not NAME.fullmatch(str(name)):
                    reason = "a name holds letters, digits and . _ + -, a letter or digit first"
                    raise _RowError(key, reason)
                if (other := by_lower.setdefault(str(name).lower(), name)) != name:
                    raise _RowError(
                        key, f"differs from {other!r} in case alone; rename one of them"
                    )
                if self._parts(name):
                    settings, content = self._merge(name)
                    rows[name] = settings.model_validate(content)
            except _RowError as fault:
                key, reason = fault.args
                self.faults.setdefault(key, f"config key '{key}': {reason}")
            except ValidationError as error:
                # Faults inherited through `like` are already reported at the row they come from.
                base = f"{self.table.name}.{self._value(name, 'like')}"
                inherited = {fault.replace(base, key, 1) for fault in self.faults}
                lines = explain_all(error, settings, key)
                self.faults |= {k: line for k, line in lines.items() if k not in inherited}
        return rows

    def _merge(self, name: str, seen: tuple[str, ...] = ()) -> tuple[type[Section], Row]:
        """Return the type and the content of a row, with `like` resolved."""
        table, parts, type_key = self.table, self._parts(name), self.table.types.key
        key = f"{table.name}.{name}"
        like, chosen = self._value(name, "like"), self._value(name, type_key)
        base: Row = {}
        if like is not None:
            if like in seen or like == name:
                circle = " like ".join((*seen, name, str(like)))
                raise _RowError(f"{key}.like", f"goes in a circle: {circle}")
            if not isinstance(like, str) or not self._parts(like):
                hint = did_you_mean(str(like), [n for layer in self.layers for n in layer])
                raise _RowError(f"{key}.like", f"there is no {like!r}{hint}")
            base = self._merge(like, (*seen, name))[1]
        chosen = base.get(type_key, table.default) if chosen is None else chosen
        if chosen is None:
            raise _RowError(key, f"{type_key} is missing")
        try:
            settings = table.types.settings(str(chosen))
        except ValueError as error:
            raise _RowError(f"{key}.{type_key}", str(error)) from None
        content: Row = {**base, type_key: chosen}
        for part in parts:
            content = merge(settings, content, {k: v for k, v in part.items() if k != "like"})
        return settings, content

    def _parts(self, name: str) -> list[Row]:
        """Return what each layer says about a row, from the last layer that changes its type on."""
        parts: list[Row] = []
        type_key = self.table.types.key
        for layer in self.layers:
            # An empty row ("flan:" with all its keys commented out) changes nothing.
            if (part := layer.get(name)) is None:
                continue
            if not isinstance(part, Mapping):
                key = f"{self.table.name}.{name}"
                raise _RowError(key, f"{part!r} is not a row; expected keys and values")
            new = part.get(type_key)
            if new and any(old.get(type_key, new) != new for old in parts):
                parts = []
            parts.append(part)
        return parts

    def _value(self, name: str, key: str) -> Any:
        """Return a key's value in the last layer that sets it; None if no layer does."""
        values = [part.get(key) for part in self._parts(name)]
        return next((value for value in reversed(values) if value is not None), None)
