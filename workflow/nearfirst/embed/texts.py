"""Which part of texts an encoder reads, and whether their embeddings differ."""

import logging
import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from os.path import commonprefix
from typing import Any

import numpy as np
import numpy.typing as npt

from nearfirst.common.errors import InputError
from nearfirst.embed.registry import BLOCK

REMEDY = (
    "set representations.text.strip_shared_prefix (--strip-shared-prefix true) or "
    "representations.text.keep: end (--keep end), or choose an encoder that reads more"
)

CAPTION_CUT_SHARE = 0.01
"""Captions mention cut texts above this share of a pool."""

EMBEDDED = (
    "Training texts that the encoder cut: {cut} of {embedded}; different embeddings: {distinct}."
)


def shared_prefix(texts: Iterable[str]) -> str:
    """Return the whole words that all texts begin with; "" if they are all the same."""
    texts = iter(texts)
    lowest = highest = next(texts, "")
    for text in texts:
        lowest, highest = min(lowest, text), max(highest, text)
    if lowest == highest:
        return ""
    # What these two share, all texts between them share. By character, not by path component.
    return re.sub(r"\S+\Z", "", commonprefix([lowest, highest]))  # noqa: RUF071


def shorten(
    texts: Sequence[str], encoder: Any, prompt: str | None, keep: str
) -> tuple[list[str], int]:
    """Return the texts, and how many of them the encoder cuts.

    The prompt before each text counts against the limit. If `keep` is `beginning`, truncation is
    left to the encoder, which drops the end; `end` keeps the last tokens of a text, and raises
    InputError if the encoder's tokenizer does not give the offsets of tokens.
    """
    limit = encoder.max_seq_length
    if not limit or limit == float("inf"):  # static embeddings have no limit
        return list(texts), 0
    # A multimodal processor wraps the tokenizer.
    tokenizer = getattr(encoder.tokenizer, "tokenizer", encoder.tokenizer)
    if keep == "end" and not tokenizer.is_fast:
        raise InputError("representations.text.keep: end needs an encoder with a fast tokenizer")
    max_tokens = max(1, limit - len(tokenizer(prompt or "")["input_ids"]))
    shortened, cut = [], 0
    for text in texts:
        tokens = tokenizer(
            text,
            add_special_tokens=False,
            return_offsets_mapping=keep == "end",
            truncation=False,
            verbose=False,
        )
        if len(tokens["input_ids"]) > max_tokens:
            cut += 1
            if keep == "end":
                text = text[tokens["offset_mapping"][-max_tokens][0] :]
        shortened.append(text)
    return shortened, cut


def embedding_counts(
    where: object,
    vectors: npt.NDArray[np.float32],
    cut: int,
    limit: object,
    max_share: float,
    *,
    is_pool: bool,
) -> dict[str, str]:
    """Check (N, d) embeddings and return the counts for their metadata.

    The counts are N, `cut`, `limit` (tokens) and `distinct`. Warn if texts are cut, or if fewer
    than half of the embeddings differ. Raises InputError, which begins with `where`, if the share
    of cut texts is above `max_share`, or if all embeddings of a pool of two or more are the same.
    """
    size = len(vectors)
    if cut:
        message = (
            f"{where}: {cut:,} of {size:,} texts ({cut / size:.1%}) are longer than the {limit} "
            "tokens that the encoder reads, and are cut"
        )
        if cut > max_share * size:
            raise InputError(f"{message}; {REMEDY}, or raise max_cut_share ({max_share:g} now)")
        logging.warning("%s; to change that, %s", message, REMEDY)
    blocks = (vectors[start : start + BLOCK] for start in range(0, size, BLOCK))
    rows = (row for block in blocks for row in block)
    distinct = len({blake2b(row.tobytes(), digest_size=16).digest() for row in rows})
    if is_pool and distinct == 1 < size:
        raise InputError(
            f"{where}: all {size:,} training instances have the same embedding, so no distance "
            f"orders them; if their texts differ only beyond what the encoder reads, {REMEDY}"
        )
    if 2 * distinct < size:
        logging.warning(
            "%s: %d instances have only %d different embeddings; instances with the same embedding "
            "are equally near and are ordered by the seed",
            *(where, size, distinct),
        )
    counts = {"embedded": size, "cut": cut, "limit": limit, "distinct": distinct}
    return {key: str(count) for key, count in counts.items()}


def is_reported(embedded: int, cut: int, distinct: int) -> bool:
    """Return whether a caption mentions how a pool is embedded: cut texts, or equal embeddings."""
    return cut > CAPTION_CUT_SHARE * embedded or distinct < embedded
