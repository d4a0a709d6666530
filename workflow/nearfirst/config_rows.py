"""Merge the layers of a config, presets and the user's; its tables' rows choose their type.

`data`, `representations`, `arrangements` and `figures` are tables by name. One key of a row
(`format`, `kind`, `method`) says of which type it is, and `like: NAME` starts from another row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from nearfirst.common.named_modules import Registry, did_you_mean
from nearfirst.common.settings import Section

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""Names are parts of paths, and of commands that do not quote them."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table of the config: its key there, and the types of its rows.

    `default` is the type of a row that does not say its own; None if it must.
    """

    name: str
    types: Registry[Any]
    default: str | None = None


@dataclass
class Rows:
    """The rows of one table, from the layers that hold some; later layers win.

    `resolve` fills `faults`: one line for each wrong key.
    """

    table: Table
    layers: Sequence[Mapping[str, Any]]
    faults: dict[str, str] = field(default_factory=dict)

    def resolve(self) -> dict[str, Section]:
        """Return the rows that are right, in the order in which layers first name them."""
        names = list(dict.fromkeys(name for layer in self.layers for name in layer))
        by_lower: dict[str, str] = {}
        rows = {}
        for name in names:
            key = f"{self.table.name}.{name}"
            if not NAME.fullmatch(str(name)):
                self._fault(key, "a name holds letters, digits and . _ + - and begins with neither")
            elif (other := by_lower.setdefault(str(name).lower(), name)) != name:
                self._fault(key, f"differs from {other!r} in case alone; rename one of them")
            elif self._own(name) and (row := self._validated(name)):
                rows[name] = row
        return rows

    def _validated(self, name: str) -> Section | None:
        merged = self._merged(name, ())
        if merged is None:
            return None
        kind, content = merged
        try:
            return kind.model_validate(content)
        except ValidationError as error:
            key = f"{self.table.name}.{name}"
            like = self._value(name, "like")
            of_like = {f.replace(f"{self.table.name}.{like}", key, 1) for f in self.faults}
            # Faults that came with `like` are named at the row that they came from.
            for fault, line in explain_all(error, kind, key).items():
                if fault not in of_like:
                    self.faults[fault] = line
            return None

    def _merged(self, name: str, seen: tuple[str, ...]) -> tuple[type[Section], Row] | None:
        """Return the type and the content of a row, `like` followed; None if it is wrong."""
        table, parts, type_key = self.table, self._own(name), self.table.types.key
        key = f"{table.name}.{name}"
        for part in parts:
            if not isinstance(part, Mapping):
                self._fault(key, f"{part!r} is no row; expected keys and values")
                return None
        like, chosen = self._value(name, "like"), self._value(name, type_key)
        base: Row = {}
        if like is not None:
            if like in seen or like == name:
                circle = " like ".join((*seen, name, str(like)))
                self._fault(f"{key}.like", f"goes in a circle: {circle}")
                return None
            if not self._own(like):
                known = [n for layer in self.layers for n in layer]
                self._fault(f"{key}.like", f"there is no {like!r}{did_you_mean(str(like), known)}")
                return None
            if (found := self._merged(like, (*seen, name))) is None:
                return None
            base = found[1]
            if chosen not in (None, base[type_key]):
                self._fault(
                    f"{key}.like",
                    f"{like!r} has {type_key} {base[type_key]!r}, this row {chosen!r}; a row "
                    "starts from one of its own type",
                )
                return None
        chosen = chosen or base.get(type_key) or table.default
        if chosen is None:
            self._fault(key, f"does not say its {type_key}")
            return None
        try:
            kind = table.types.settings(str(chosen))
        except ValueError as error:
            self._fault(f"{key}.{type_key}", str(error))
            return None
        content: Row = {**base, type_key: chosen}
        for part in parts:
            content = merge(kind, content, {k: v for k, v in part.items() if k != "like"})
        return kind, content

    def _own(self, name: str) -> list[Any]:
        """Return what the layers say of a row; another type begins it anew."""
        parts: list[Any] = []
        key = self.table.types.key
        for layer in self.layers:
            # An empty row ("flan:" with all its keys commented out) changes nothing.
            if layer.get(name) is None:
                continue
            now = layer[name].get(key) if isinstance(layer[name], Mapping) else None
            before = [part.get(key) for part in parts if isinstance(part, Mapping)]
            if now and any(old and old != now for old in before):
                parts = []
            parts.append(layer[name])
        return parts

    def _value(self, name: str, key: str) -> Any:
        """Return what the last layer that sets a key of a row says; None if none does."""
        return next((part[key] for part in reversed(self._own(name)) if part.get(key)), None)

    def _fault(self, key: str, reason: str) -> None:
        self.faults.setdefault(key, f"config key '{key}': {reason}")


def merge(model: type[BaseModel], base: Row, over: Row) -> dict[str, Any]:
    """Return `base` with the values of `over`, section by section of `model`.

    A mapping that holds no section (the curves of a figure) is replaced whole.
    """
    merged = dict(base)
    for key, value in over.items():
        kind = model.model_fields[key].annotation if key in model.model_fields else None
        part = section_of(kind)
        # An empty section ("train:" with all its keys commented out) changes nothing; where there
        # may be none (a data set's hub), null says so.
        if isinstance(value, Mapping) or (value is None and kind is part and part is not None):
            value = merge(part, merged.get(key) or {}, value or {}) if part else value
        merged[key] = value
    return merged


def section_of(kind: Any) -> type[BaseModel] | None:
    """Return the section that a key holds, optional or not; None if it holds something else."""
    for of in (kind, *get_args(kind)) if get_origin(kind) in (None, Union, UnionType) else ():
        if isinstance(of, type) and issubclass(of, BaseModel):
            return of
    return None


def explain_all(error: ValidationError, model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Return one line for each wrong key: the key, its value, what is wrong, what to do."""
    # A key of several types has a fault for each: the first is shown.
    faults = [(_key(fault, model), fault) for fault in reversed(error.errors())]
    return {
        ".".join(filter(None, (prefix, key))): _explain(fault, key, model, prefix)
        for key, fault in faults
    }


def _key(fault: Any, root: type[BaseModel]) -> str:
    """Return the dotted key of a fault, without the names pydantic gives to a key's types."""
    parts: list[str] = []
    kind: Any = root
    for part in fault["loc"]:
        if part == "[key]":  # the name itself is wrong
            break
        section = section_of(kind)
        if section is None and not isinstance(part, int) and get_origin(kind) is not dict:
            break
        parts.append(str(part))
        if section and part in section.model_fields:
            kind = section.model_fields[part].annotation
        else:
            kind = get_args(kind)[1] if get_origin(kind) is dict else None
    return ".".join(parts)


def _explain(fault: Any, key: str, model: type[BaseModel], prefix: str) -> str:
    full = ".".join(filter(None, (prefix, key)))
    if fault["type"] == "extra_forbidden":
        return f"config key '{full}' ({fault['input']!r}): {_unknown(key, model, prefix)}"
    if fault["type"] == "missing":
        return f"config key '{full}': it is needed; docs/config.md says what it is"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error" and ": " in message:
        # The section's own check begins with the key inside the section.
        inner, _, reason = message.partition(": ")
        return f"config key '{full}{'.' * bool(full)}{inner}': {reason}"
    return f"config key '{full}' ({fault['input']!r}): {message}"


RENAMED: dict[str, str] = {
    "arrangements": "curves",
    "datasets": "curves",
    "embedding": "representations.text",
    "form": "format",
    "least": "min_answers",
    "least_instances": "min_instances",
    "micro_batch_size": "micro_batch_tokens",
    "most": "max_per_dataset",
}
"""Keys of version 0.1 and what they are called now; to be dropped in 0.3."""


def _unknown(key: str, model: type[BaseModel], prefix: str) -> str:
    """Return what to write in place of a key that there is not."""
    parent, _, leaf = key.rpartition(".")
    keys = {k: k.rpartition(".") for k in _keys(model)}
    beside = {last for above, _, last in keys.values() if above == parent}
    now = RENAMED.get(leaf, "")
    if now.partition(".")[0] in beside:
        return f"it is called {now!r} now"
    anywhere = {last for _, _, last in keys.values()}
    # A misplaced key is nearest by its own name, a misspelt one within its section.
    options = sorted(anywhere) if leaf in anywhere else sorted(beside) or sorted(anywhere)
    hint = re.search(r"'(.+)'", did_you_mean(leaf, options) or did_you_mean(leaf, sorted(anywhere)))
    if hint is None:
        return f"unknown key; the keys here are {', '.join(sorted(beside) or sorted(anywhere))}"
    found = [k for k, (_, _, last) in keys.items() if last == hint[1]]
    best = min(found, key=lambda k: (keys[k][0] != parent, k.count(".")))
    return f"unknown key; did you mean '{'.'.join(filter(None, (prefix, best)))}'?"


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, info in model.model_fields.items():
        keys.append(f"{prefix}{name}")
        if part := section_of(info.annotation):
            keys += _keys(part, f"{prefix}{name}.")
    return keys
