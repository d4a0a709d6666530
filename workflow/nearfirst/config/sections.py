"""Nested sections of a config: find, merge and list them."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section that a key holds, optional or not; None if it holds something else."""
    is_union = get_origin(annotation) in (None, Union, UnionType)
    for member in (annotation, *get_args(annotation)) if is_union else ():
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member
    return None


def merge(
    model: type[BaseModel], base: Mapping[str, Any], over: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `base` with the values of `over`, section by section of `model`.

    A mapping that is not a section (the curves of a figure) is replaced as a whole.
    """
    merged = dict(base)
    for key, value in over.items():
        annotation = model.model_fields[key].annotation if key in model.model_fields else None
        section = section_of(annotation)
        # An empty section ("train:" with all its keys commented out) changes nothing; where the
        # section is optional (a data set's hub), null removes it.
        is_empty = value is None and section is not None and annotation is section
        if section and (isinstance(value, Mapping) or is_empty):
            below = merged.get(key)
            value = merge(section, below if isinstance(below, Mapping) else {}, value or {})
        merged[key] = value
    return merged


def dotted_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return all keys of a section and of the sections inside it."""
    keys = []
    for name, field in model.model_fields.items():
        keys.append(f"{prefix}{name}")
        if section := section_of(field.annotation):
            keys += dotted_keys(section, f"{prefix}{name}.")
    return keys
