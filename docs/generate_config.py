"""Write docs/config.md from the config's model; a test fails when the two drift apart."""

from pathlib import Path

from pydantic import BaseModel

from nearfirst.config import sections

PAGE = Path(__file__).parent / "config.md"

HEAD = """\
# Config

Every key, its type, its default and what it does. `config.yaml` and `--config` override the preset
(`workflow/presets/`), the preset overrides these defaults. An unknown key is an error.

This page is generated from the model in `workflow/nearfirst/config.py`: `make docs`.
"""


def render() -> str:
    """Return the page."""
    parts = [HEAD]
    for prefix, model in sections():
        if not prefix:
            parts.append("\n## Top level\n")
        else:
            title = f"`{prefix.rstrip('.')}`{_kind(model)}"
            parts.append(f"\n## {title}\n\n{(model.__doc__ or '').strip()}\n")
        rows = [
            f"| `{prefix}{name}` | {_type(spec)} | {_default(spec)} | {spec.get('description')} |"
            for name, spec in model.model_json_schema()["properties"].items()
            if "description" in spec
        ]
        if rows:
            parts.append("\n| key | type | default | meaning |\n|---|---|---|---|\n")
            parts.append("\n".join(rows) + "\n")
    return "".join(parts)


def _kind(model: type[BaseModel]) -> str:
    """Return which rows of a table a section describes."""
    for key in ("format", "method", "kind"):
        if (info := model.model_fields.get(key)) and isinstance(info.default, str):
            return f" with `{key}: {info.default}`"
    return " with `method: FILE.py:FUNCTION`" if "needs" in model.model_fields else ""


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
    found = [f"{sign} {spec[key]:g}" for key, sign in bounds.items() if key in spec]
    items = spec.get("items")
    if isinstance(items, dict):
        name = f"list of {_type(items)}"
    return " ".join([name, ", ".join(found)]).strip()


if __name__ == "__main__":
    PAGE.write_text(render())
