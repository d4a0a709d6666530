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
        names = list(dict.fromkeys(name for layer in self.layers for name in layer))
        by_lower: dict[str, str] = {}
        rows = {}
        for name in names:
            key = f"{self.table.name}.{name}"
            if not NAME.fullmatch(str(name)):
                self._add_fault(
                    key, "a name holds letters, digits and . _ + -, a letter or digit first"
                )
            elif (other := by_lower.setdefault(str(name).lower(), name)) != name:
                self._add_fault(key, f"differs from {other!r} in case alone; rename one of them")
            elif self._parts(name) and (row := self._validate(name)):
                rows[name] = row
        return rows

    def _validate(self, name: str) -> Section | None:
        merged = self._merge(name, ())
        if merged is None:
            return None
        settings, content = merged
        try:
            return settings.model_validate(content)
        except ValidationError as error:
            key = f"{self.table.name}.{name}"
            like = self._value(name, "like")
            # Faults inherited through `like` are already reported at the row they come from.
            inherited = {f.replace(f"{self.table.name}.{like}", key, 1) for f in self.faults}
            for fault, line in explain_all(error, settings, key).items():
                if fault not in inherited:
                    self.faults[fault] = line
            return None

    def _merge(self, name: str, seen: tuple[str, ...]) -> tuple[type[Section], Row] | None:
        """Return the type and the content of a row, with `like` resolved; None if it is wrong."""
        table, parts, type_key = self.table, self._parts(name), self.table.types.key
        key = f"{table.name}.{name}"
        for part in parts:
            if not isinstance(part, Mapping):
                self._add_fault(key, f"{part!r} is not a row; expected keys and values")
                return None
        like, chosen = self._value(name, "like"), self._value(name, type_key)
        base: Row = {}
        if like is not None:
            if like in seen or like == name:
                circle = " like ".join((*seen, name, str(like)))
                self._add_fault(f"{key}.like", f"goes in a circle: {circle}")
                return None
            if not isinstance(like, str) or not self._parts(like):
                known = [n for layer in self.layers for n in layer]
                hint = did_you_mean(str(like), known)
                self._add_fault(f"{key}.like", f"there is no {like!r}{hint}")
                return None
            if (merged := self._merge(like, (*seen, name))) is None:
                return None
            base = merged[1]
            if chosen not in (None, base[type_key]):
                self._add_fault(
                    f"{key}.like",
                    f"{like!r} has {type_key} {base[type_key]!r}, but this row has {chosen!r}; "
                    "use a row of the same type",
                )
                return None
        chosen = base.get(type_key, table.default) if chosen is None else chosen
        if chosen is None:
            self._add_fault(key, f"{type_key} is missing")
            return None
        try:
            settings = table.types.settings(str(chosen))
        except ValueError as error:
            self._add_fault(f"{key}.{type_key}", str(error))
            return None
        content: Row = {**base, type_key: chosen}
        for part in parts:
            content = merge(settings, content, {k: v for k, v in part.items() if k != "like"})
        return settings, content

    def _parts(self, name: str) -> list[Any]:
        """Return what each layer says about a row, from the last layer that changes its type on."""
        parts: list[Any] = []
        type_key = self.table.types.key
        for layer in self.layers:
            # An empty row ("flan:" with all its keys commented out) changes nothing.
            if layer.get(name) is None:
                continue
            new = layer[name].get(type_key) if isinstance(layer[name], Mapping) else None
            old = [part.get(type_key) for part in parts if isinstance(part, Mapping)]
            if new and any(kind and kind != new for kind in old):
                parts = []
            parts.append(layer[name])
        return parts

    def _value(self, name: str, key: str) -> Any:
        """Return a key's value in the last layer that sets it; None if no layer does."""
        return next(
            (part[key] for part in reversed(self._parts(name)) if part.get(key) is not None), None
        )

    def _add_fault(self, key: str, reason: str) -> None:
        self.faults.setdefault(key, f"config key '{key}': {reason}")
