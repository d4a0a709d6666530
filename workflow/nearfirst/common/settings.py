"""The base class of every stage's settings."""

import json
from collections.abc import Sequence, Set
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from nearfirst.common.errors import InputError

Threads = Annotated[
    PositiveInt, Field(description="CPU threads; they change the rounding of sums.")
]

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What every generator takes: NumPy's `seed` no more than 32 bits."""


def check_once(key: str, values: Sequence[object]) -> None:
    """Raise ValueError, which names the key, if a list holds a value twice."""
    if len(set(values)) < len(values):
        raise ValueError(f"{key}: {list(values)} holds one twice")


def canonical(content: object) -> str:
    """Return JSON with sorted keys: equal content gives equal text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


class Section(BaseModel):
    """One section of the config: immutable; an unknown key, NaN or infinity is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )

    def canonical(self, without: Set[str] = frozenset()) -> str:
        """Return the section without some keys as JSON: equal settings give equal text."""
        return canonical(self.model_dump(mode="json", exclude=set(without)))

    def __str__(self) -> str:
        return self.canonical()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the section from JSON; raise InputError if a key or value is invalid."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            reason = first["msg"].removeprefix("Value error, ")
            if first["type"] == "extra_forbidden":
                reason = f"unknown key; the keys are {', '.join(cls.model_fields)}"
            raise InputError(f"{key}{': ' * bool(key)}{reason}") from None


class Derivable(Section):
    """A section with keys that are derived from others unless they are set."""

    @model_validator(mode="before")
    @classmethod
    def _drop_auto(cls, value: Any) -> Any:
        """Drop keys that the config sets to `auto`, as if it did not set them."""
        if value == "auto":
            return {}
        if isinstance(value, dict):
            return {key: setting for key, setting in value.items() if setting != "auto"}
        return value
