"""The chat template: a conversation becomes tokens and labels (Section A.2)."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nearfirst.data.conversation import Message

IGNORED = -100
"""Label of a position that carries no loss."""


@dataclass(frozen=True)
class Tokens:
    """One instance as the model sees it.

    Attributes
    ----------
    ids
        (n,) token ids, int64.
    labels
        (n,) the id at a position of an answer or its EOS, `IGNORED` elsewhere.
    """

    ids: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]

    @property
    def label_tokens(self) -> int:
        """Number of positions that carry loss. The first position predicts nothing."""
        return int((self.labels[1:] != IGNORED).sum())


def encode(
    conversations: Sequence[Sequence[Message]], tokenizer: Any, max_length: int
) -> list[Tokens]:
    r"""Encode conversations as `<s>User: {question}\nAssistant: {answer}</s>`.

    Segments are tokenized one after another; each answer and its EOS carry labels. A further
    exchange follows the EOS of the one before. The tail is cut, so a long prompt can lose its
    whole answer: such an instance has `label_tokens == 0` and must be left out of means.

    Parameters
    ----------
    conversations
        Messages in order, user and assistant in turn.
    tokenizer
        A `transformers` tokenizer with BOS and EOS.
    max_length
        Tokens kept.
    """
    # A SentencePiece tokenizer puts the space before a first word itself.
    space = "" if tokenizer.tokenize("a")[0].startswith("▁") else " "
    segments: list[str] = []
    for messages in conversations:
        for message in messages:
            if message["role"] == "user":
                segments.append(f"User: {message['content']}\nAssistant:")
            else:
                segments.append(f"{space}{message['content']}")
    encoded = iter(_plain(segments, tokenizer))

    result = []
    for messages in conversations:
        ids = [tokenizer.bos_token_id]
        labels = [IGNORED]
        for message in messages:
            segment = next(encoded)
            if message["role"] == "user":
                ids += segment
                labels += [IGNORED] * len(segment)
            else:
                ids += [*segment, tokenizer.eos_token_id]
                labels += [*segment, tokenizer.eos_token_id]
        result.append(
            Tokens(
                np.array(ids[:max_length], dtype=np.int64),
                np.array(labels[:max_length], dtype=np.int64),
            )
        )
    return result


def prompts(
    conversations: Sequence[Sequence[Message]], tokenizer: Any
) -> list[npt.NDArray[np.int64]]:
    r"""Return what comes before each first answer, `<s>User: {question}\nAssistant:`.

    They are the tokens that `encode` begins with, whatever its `max_length`.
    """
    first = [messages[:2] for messages in conversations]
    whole = encode(first, tokenizer, sys.maxsize)
    return [item.ids[item.labels == IGNORED] for item in whole]


def _plain(segments: list[str], tokenizer: Any) -> list[list[int]]:
    """Tokenize text as text: a literal `</s>` in it is five characters and no EOS."""
    if not segments:
        return []
    encoded = tokenizer(segments, add_special_tokens=False, split_special_tokens=True)
    ids: list[list[int]] = encoded["input_ids"]
    return ids
