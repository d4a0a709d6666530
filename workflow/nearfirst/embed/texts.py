"""What an encoder reads of texts, and whether that tells them apart."""

import logging
import re
from collections.abc import Sequence
from hashlib import blake2b
from os.path import commonprefix
from typing import Any

import numpy as np
import numpy.typing as npt

from nearfirst.common.errors import InputError
from nearfirst.embed.registry import BLOCK

REMEDY = (
    "set representations.text.strip_shared_prefix (--strip-shared-prefix true), or its keep: end "
    "(--keep end), or take an encoder that reads more"
)

TOLD = 0.01
"""Share of a pool's texts that an encoder cuts above which captions say so."""

EMBEDDED = (
    "Training texts that the encoder cut: {cut} of {embedded}; different embeddings: {distinct}."
)


def shared_prefix(texts: Sequence[str]) -> str:
    """Return the whole words that all texts begin with; "" if they are all the same."""
    if len(set(texts)) < 2:
        return ""
    # Characters are meant, not parts of paths.
    return re.sub(r"\S+\Z", "", commonprefix(list(texts)))  # noqa: RUF071


def shorten(
    texts: Sequence[str], encoder: Any, prompt: str | None, keep: str
) -> tuple[list[str], int]:
    """Return the texts, and how many of them the encoder cuts.

    Parameters
    ----------
    encoder
        A `SentenceTransformer`.
    prompt
        Text put before each text, which the encoder reads too.
    keep
        `beginning` leaves the texts to the encoder, which drops their ends; `end` returns of those
        it would cut the last tokens that it takes.

    Raises
    ------
    InputError
        If ends are to be kept and the encoder's tokenizer does not say where tokens begin.
    """
    limit = encoder.max_seq_length
    if not limit or limit == float("inf"):  # static embeddings read everything
        return list(texts), 0
    # A processor of several kinds of input holds its tokenizer.
    tokenizer = getattr(encoder.tokenizer, "tokenizer", encoder.tokenizer)
    if keep == "end" and not tokenizer.is_fast:
        raise InputError("representations.text.keep: end needs an encoder with a fast tokenizer")
    room = max(1, limit - len(tokenizer(prompt or "")["input_ids"]))
    kept, cut = [], 0
    for text in texts:
        read = tokenizer(
            text,
            add_special_tokens=False,
            return_offsets_mapping=keep == "end",
            truncation=False,
            verbose=False,
        )
        if len(read["input_ids"]) > room:
            cut += 1
            if keep == "end":
                text = text[read["offset_mapping"][-room][0] :]
        kept.append(text)
    return kept, cut


def counted(
    where: object,
    vectors: npt.NDArray[np.float32],
    cut: int,
    limit: object,
    max_share: float,
    *,
    is_pool: bool,
) -> dict[str, str]:
    """Return what the metadata of (N, d) embeddings counts: N, `cut`, `limit` and `distinct`.

    Warns and raises as `check_cut` and `check_distinct`.
    """
    check_cut(where, cut, len(vectors), limit, max_share)
    distinct = check_distinct(where, vectors, is_pool=is_pool)
    counts = {"embedded": len(vectors), "cut": cut, "limit": limit, "distinct": distinct}
    return {key: str(count) for key, count in counts.items()}


def is_told(embedded: int, cut: int, distinct: int) -> bool:
    """Return whether a caption says how a pool is embedded: cut texts, or equal embeddings."""
    return cut > TOLD * embedded or distinct < embedded


def check_cut(where: object, cut: int, texts: int, limit: object, max_share: float) -> None:
    """Warn of texts that an encoder cuts at `limit` tokens.

    Raises InputError, which begins with `where`, if their share is above `max_share`.
    """
    if not cut:
        return
    found = (
        f"{where}: {cut:,} of {texts:,} texts ({cut / texts:.1%}) are longer than the {limit} "
        "tokens that the encoder reads, and are cut"
    )
    if cut > max_share * texts:
        raise InputError(
            f"{found}; {REMEDY}, or allow it with its max_cut_share ({max_share:g} now)"
        )
    logging.warning("%s; to change that, %s", found, REMEDY)


def check_distinct(where: object, embeddings: npt.NDArray[np.float32], *, is_pool: bool) -> int:
    """Return how many of (N, d) embeddings differ; warn if they are fewer than half.

    Raises InputError, which begins with `where`, if a pool of two or more has one embedding.
    """
    size = len(embeddings)
    blocks = (embeddings[start : start + BLOCK] for start in range(0, size, BLOCK))
    rows = (row for block in blocks for row in block)
    distinct = len({blake2b(row.tobytes(), digest_size=16).digest() for row in rows})
    if is_pool and distinct == 1 < size:
        raise InputError(
            f"{where}: all {size:,} training instances have the same embedding, so no distance "
            "orders them; if their texts differ only behind what the encoder reads, "
            f"{REMEDY}"
        )
    if 2 * distinct < size:
        logging.warning(
            "%s: %d instances have only %d different embeddings; instances of one embedding are "
            "equally near, and the seed orders them",
            *(where, size, distinct),
        )
    return distinct
