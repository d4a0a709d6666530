"""Embeddings of a list of texts."""

from typing import Any

from nearfirst.embed import encode
from nearfirst.embed.kinds.text import Settings


def embed(texts: list[str], encoder: Any, **row: Any) -> Any:
    """Return the vectors by an encoder with settings."""
    return encode.embed(texts, len(texts), encoder, Settings(**row)).vectors
