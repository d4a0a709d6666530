"""Validation errors of a config as one line for each key."""

import re
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from nearfirst.config.sections import dotted_keys, section_of

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
"""Keys of version 0.1 and their present names; to be dropped in 0.3."""


def explain_all(error: ValidationError, model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Return a line for each wrong key: the key, its value, what is wrong, what to do."""
    # A key of several types has an error for each type. The deepest is of the type whose form the
    # value has, so that only a part of it is wrong; of others, the first type's stands.
    lines: dict[str, str] = {}
    for fault in sorted(error.errors(), key=lambda fault: len(fault["loc"]), reverse=True):
        key = _key(fault, model)
        lines.setdefault(_join(prefix, key), _explain(fault, key, model, prefix))
    return lines


def _join(prefix: str, key: str) -> str:
    return ".".join(filter(None, (prefix, key)))


def _key(fault: Any, model: type[BaseModel]) -> str:
    """Return the dotted key of an error, without the names pydantic gives to a key's types."""
    parts: list[str] = []
    annotation: Any = model
    for part in fault["loc"]:
        if part == "[key]":  # the name itself is wrong
            break
        section = section_of(annotation)
        is_table = get_origin(annotation) is dict
        if section is None and not isinstance(part, int) and not is_table:
            break
        parts.append(str(part))
        if section and part in section.model_fields:
            annotation = section.model_fields[part].annotation
        else:
            annotation = get_args(annotation)[1] if is_table else None
    return ".".join(parts)


def _explain(fault: Any, key: str, model: type[BaseModel], prefix: str) -> str:
    full = _join(prefix, key)
    if fault["type"] == "missing":
        return f"config key '{full}': it is required; see docs/config.md"
    if fault["type"] == "extra_forbidden":
        message = _explain_unknown(key, model, prefix)
    else:
        message = fault["msg"].removeprefix("Value error, ")
    # The section's own check starts its message with the key inside the section.
    inner, _, reason = message.partition(": ")
    if fault["type"] == "value_error" and reason and re.fullmatch(r"[\w.]+", inner):
        return f"config key '{_join(full, inner)}': {reason}"
    return f"config key '{full}' ({fault['input']!r}): {message}"


def _explain_unknown(key: str, model: type[BaseModel], prefix: str) -> str:
    """Suggest a key to write in place of an unknown one."""
    parent, _, leaf = key.rpartition(".")
    keys = {k: k.rpartition(".") for k in dotted_keys(model)}
    siblings = sorted({last for above, _, last in keys.values() if above == parent})
    new_name = RENAMED.get(leaf, "")
    if new_name.partition(".")[0] in siblings:
        return f"it is called {new_name!r} now"
    anywhere = sorted({last for _, _, last in keys.values()})
    # A misplaced key exists elsewhere; a misspelt one is most likely meant for its section.
    options = anywhere if leaf in anywhere else siblings
    nearest = get_close_matches(leaf, options, 1) or get_close_matches(leaf, anywhere, 1)
    if not nearest:
        return f"unknown key; the keys here are {', '.join(siblings or anywhere)}"
    matches = [k for k, (_, _, last) in keys.items() if last == nearest[0]]
    best = min(matches, key=lambda k: (keys[k][0] != parent, k.count(".")))
    return f"unknown key; did you mean '{_join(prefix, best)}'?"
