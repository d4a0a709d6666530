"""Write docs/config.md from the config's model; a test fails when the two drift apart."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from nearfirst.config import TABLES, Config
from nearfirst.config.sections import section_of

PAGE = Path(__file__).parent / "config.md"

HEAD = """\
# Config

Every key with its type, default and meaning. `config.yaml` and `--config` override the preset
(`workflow/presets/`), the preset overrides these defaults. An unknown key is an error.

This page is generated from the model in `workflow/nearfirst/config/model.py`: `make docs`.
"""


class Part(NamedTuple):
    """A section of the page: a section of the config, or one that several kinds of row share."""

    prefix: str
    model: type[BaseModel]
    kinds: list[str]

    @property
    def title(self) -> str:
        """The heading."""
        if not self.prefix:
            return "Top level"
        *most, last = [f"`{kind}`" for kind in self.kinds] or [""]
        kinds = " or ".join(filter(None, (", ".join(most), last)))
        return f"`{self.prefix.rstrip('.')}`" + f" with {kinds}" * bool(kinds)

    @property
    def anchor(self) -> str:
        """The anchor of the heading on GitHub."""
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")


def sections(
    model: type[BaseModel] = Config, prefix: str = ""
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every section of the config with its dotted prefix, depth first.

    The types of a table's rows come under the prefix `TABLE.NAME.`.
    """
    yield prefix, model
    tables = {table.name: table.types for table in TABLES} if model is Config else {}
    for name, field in model.model_fields.items():
        if section := section_of(field.annotation):
            yield from sections(section, f"{prefix}{name}.")
        if types := tables.get(name):
            for kind in types.names():
                yield from sections(types.settings(kind), f"{name}.NAME.")


def parts() -> list[Part]:
    """Return the sections of the page in their order."""
    keys = {f"{table.name}.NAME.": table.types.key for table in TABLES}
    result: dict[tuple[str, type[BaseModel]], Part] = {}
    kind = ""
    for prefix, model in sections():
        if key := keys.get(prefix):
            kind = f"{key}: {model.model_fields[key].default}"
        part = result.setdefault((prefix, model), Part(prefix, model, []))
        if ".NAME." in prefix:
            # The key of the row is said once: `format: flan`, `niv2` or `p3`.
            part.kinds.append(kind.partition(": ")[2] if part.kinds else kind)
    return list(result.values())


def render() -> str:
    """Return the page."""
    texts = [HEAD]
    for part in parts():
        texts.append(f"\n## {part.title}\n")
        if part.prefix:
            texts.append(f"\n{inspect.getdoc(part.model)}\n")
        rows = [
            f"| `{part.prefix}{name}` | {_type(spec)} | {_default(spec)} | {spec['description']} |"
            for name, spec in part.model.model_json_schema()["properties"].items()
            if "description" in spec
        ]
        if rows:
            head = "| key | type | default | meaning |\n|---|---|---|---|"
            texts.append("\n" + "\n".join([head, *rows]) + "\n")
    return "".join(texts)


def _default(spec: dict[str, object]) -> str:
    if "default" not in spec:
        return "required"
    value = spec["default"]
    shown = "null" if value is None else str(value).lower() if isinstance(value, bool) else value
    # A line break would end the row of the table.
    return "`" + str(shown).replace("|", "\\|").replace("\n", "\\n") + "`"


def _type(spec: dict[str, object]) -> str:
    """Return a short name of a JSON schema's type, with its bounds."""
    options = spec.get("anyOf")
    if isinstance(options, list):
        return " or ".join(_type(option) for option in options)
    if "const" in spec:
        return f"`{spec['const']}`"
    if isinstance(spec.get("enum"), list):
        return ", ".join(f"`{value}`" for value in spec["enum"])  # type: ignore[attr-defined]
    name = str(spec.get("type", "object"))
    bounds = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    result = [f"{sign} {spec[key]:.10g}" for key, sign in bounds.items() if key in spec]
    items = spec.get("items")
    if isinstance(items, dict):
        name = f"list of {_type(items)}"
    return " ".join([name, ", ".join(result)]).strip()


if __name__ == "__main__":
    PAGE.write_text(render())
