"""The reward of an answer to an instruction (Section A.4)."""

import logging
import re
import time
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nearfirst.common.batching import batches
from nearfirst.common.errors import InputError

Ids = npt.NDArray[np.int64]

TELL_EVERY = 10.0
"""Seconds between lines about progress."""


def exchange(template: str, instruction: str, answer: str) -> str:
    """Put instruction and answer into a template, in one pass: braces in either are text."""
    given = {"{instruction}": instruction, "{answer}": answer}
    return re.sub(r"\{instruction\}|\{answer\}", lambda field: given[field[0]], template)


def encode(texts: Sequence[str], tokenizer: Any, max_length: int) -> tuple[list[Ids], int]:
    """Tokenize texts as text: a literal `</s>` in them is four characters and no EOS.

    What the tokenizer adds by itself, such as BOS, is added, and kept if the text is cut.

    Parameters
    ----------
    texts
        n texts.
    tokenizer
        A `transformers` tokenizer.
    max_length
        Tokens kept; of a longer text the beginning is cut.

    Returns
    -------
    tokens, cut
        n arrays of ids, and how many of them are cut.
    """
    if not texts:
        return [], 0
    tokenizer.truncation_side = "left"
    options = {"split_special_tokens": True, "verbose": False}
    ids = tokenizer(list(texts), **options)["input_ids"]
    long = [row for row, of_text in enumerate(ids) if len(of_text) > max_length]
    if long:
        shorter = tokenizer(
            [texts[row] for row in long], truncation=True, max_length=max_length, **options
        )["input_ids"]
        for row, of_text in zip(long, shorter, strict=True):
            ids[row] = of_text
    return [np.array(of_text, dtype=np.int64) for of_text in ids], len(long)


def encode_exchanges(
    exchanges: Iterable[tuple[str, str]], template: str, tokenizer: Any, max_length: int
) -> list[Ids]:
    """Tokenize n (instruction, answer) in a template, as `encode` does, and log how many are cut.

    Returns
    -------
    n arrays of ids.
    """
    texts = [exchange(template, *said) for said in exchanges]
    tokens, cut = encode(texts, tokenizer, max_length)
    logging.info("%d answers, %d cut at the beginning to %d tokens", len(tokens), cut, max_length)
    return tokens


def longest(model: Any, tokenizer: Any, max_length: int) -> int:
    """Return how many tokens of a text are kept: a model may have fewer positions than asked for.

    Parameters
    ----------
    model, tokenizer
        As `load_reward_model` gives them.
    max_length
        The number asked for.
    """
    positions = getattr(model.config, "max_position_embeddings", None) or max_length
    return int(min(max_length, positions, tokenizer.model_max_length))


@torch.inference_mode()
def rewards(model: Any, tokens: Sequence[Ids], batch_tokens: int) -> npt.NDArray[np.float32]:
    """Return the reward of every text. Equal texts are scored once.

    Parameters
    ----------
    model
        As `load_reward_model` gives it.
    tokens
        n arrays of ids.
    batch_tokens
        Tokens in a forward pass, padding included.

    Returns
    -------
    (n,) float32.

    Raises
    ------
    InputError
        If a text has no token, or one that the model has no embedding for.
    """
    place: dict[bytes, int] = {}
    which = [place.setdefault(ids.tobytes(), len(place)) for ids in tokens]
    texts = [np.frombuffer(key, dtype=np.int64) for key in place]
    _check(texts, model.config)
    own_pad = model.config.pad_token_id
    result = np.empty(len(texts), dtype=np.float32)
    total, done = sum(len(ids) for ids in texts), 0
    since = told = time.monotonic()
    try:
        for batch in batches([len(ids) for ids in texts], batch_tokens):
            part = [texts[index] for index in batch]
            if own_pad is None:
                # A sequence classifier looks for the last token that is no padding; by an id that
                # no text ends in, that is the last real one.
                ends = {int(ids[-1]) for ids in part}
                model.config.pad_token_id = next(i for i in count() if i not in ends)
            result[batch] = _forward(model, part)
            done += sum(len(ids) for ids in part)
            now = time.monotonic()
            if now - told > TELL_EVERY:
                told, left = now, (now - since) / done * (total - done)
                logging.info("%.0f %% of the tokens, %.0f s left", 100 * done / total, left)
    finally:
        model.config.pad_token_id = own_pad
    return result[which]


def _forward(model: Any, texts: Sequence[Ids]) -> npt.NDArray[np.float32]:
    """Return the rewards of texts in one pass, padded on the right."""
    shape = (len(texts), max(len(ids) for ids in texts))
    padded = np.full(shape, model.config.pad_token_id or 0, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    for row, ids in enumerate(texts):
        padded[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
    place = next(model.parameters()).device
    output = model(
        input_ids=torch.from_numpy(padded).to(place),
        attention_mask=torch.from_numpy(mask).to(place),
    )
    found: npt.NDArray[np.float32] = output.logits[:, 0].float().cpu().numpy()
    return found


def _check(texts: Sequence[Ids], config: Any) -> None:
    if not all(len(ids) for ids in texts):
        raise InputError("reward.text.template: an exchange without any token; put words into it")
    known = config.get_text_config().vocab_size
    highest = max((int(ids.max()) for ids in texts), default=0)
    if highest >= known:
        raise InputError(
            f"reward.name: the tokenizer gives id {highest}, but the model has {known} embeddings; "
            "tokenizer and weights must be of one model"
        )
