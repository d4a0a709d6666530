"""The template: a conversation becomes tokens and labels (Section A.2)."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Message, is_trained, target
from nearfirst.data.instances import conversations, read_instances
from nearfirst.model import chat_template
from nearfirst.model.settings import Form, TemplateSettings

Segment = tuple[str, bool | None]
"""Text that is tokenized by itself, and whether it is trained on; None if it is no answer."""

IGNORED = -100
"""Label of a position that carries no loss."""


@dataclass(frozen=True)
class Tokens:
    """One tokenized instance.

    Attributes
    ----------
    ids
        (n,) token ids, int64.
    labels
        (n,) int64: the id where an answer that is trained on or its EOS stands, `IGNORED`
        elsewhere.
    lost
        Number of labels that truncation took.
    """

    ids: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    lost: int = 0

    @property
    def label_tokens(self) -> int:
        """Number of positions that carry loss. The first position predicts nothing."""
        return int((self.labels[1:] != IGNORED).sum())


def encode(
    conversations: Sequence[Sequence[Message]],
    tokenizer: Any,
    max_length: int,
    form: Form = "paper",
) -> list[Tokens]:
    r"""Encode conversations as `<s>User: {question}\nAssistant: {answer}</s>`, or as `chat` does.

    Segments are tokenized one by one; each answer that is trained on and its EOS carry labels. A
    further exchange follows the EOS of the one before. There is no BOS if the tokenizer has none.
    With `published` the segments are those of the paper's published code (`_published`). Of each,
    the first `max_length` tokens are kept, so a long prompt can lose its whole answer: such an
    instance has `label_tokens == 0` and must be left out of means.

    Raises
    ------
    InputError
        With `chat`, if the tokenizer has no template, or one that does not mark its answers.
    """
    encoded = (
        chat_template.encode(conversations, tokenizer)
        if form == "chat"
        else _encode_segments(conversations, tokenizer, _paper if form == "paper" else _published)
    )
    return [
        Tokens(
            np.array(ids[:max_length], dtype=np.int64),
            np.where(is_label, ids, IGNORED)[:max_length].astype(np.int64),
            sum(is_label[max_length:]),
        )
        for ids, is_label in encoded
    ]


def _paper(messages: Sequence[Message], space: str) -> list[Segment]:
    """Return the segments of a conversation: each question asks for its answer."""
    return [
        (f"User: {message['content']}\nAssistant:", None)
        if message["role"] == "user"
        else (f"{space}{message['content']}", is_trained(message))
        for message in messages
    ]


def _published(messages: Sequence[Message], space: str) -> list[Segment]:
    r"""Return the segments of the published code, in which `\nAssistant: ` is one.

    It has its space whatever the tokenizer puts before the answer.
    """
    segments: list[Segment] = []
    for message in messages:
        if message["role"] == "user":
            # Every question but the first stands on a line of its own.
            line = "\n" if segments else ""
            segments += [(f"{line}User: {message['content']}", None), ("\nAssistant: ", None)]
        else:
            segments.append((message["content"], is_trained(message)))
    return segments


def _encode_segments(
    conversations: Sequence[Sequence[Message]],
    tokenizer: Any,
    segments_of: Callable[[Sequence[Message], str], list[Segment]],
) -> Iterator[tuple[list[int], list[bool]]]:
    """Yield the ids of each conversation, and which of them carry a label."""
    # A SentencePiece tokenizer puts the space before a first word itself.
    space = "" if tokenizer.tokenize("a")[0].startswith("▁") else " "
    parts = [segments_of(messages, space) for messages in conversations]
    encoded = iter(_plain([text for segments in parts for text, _ in segments], tokenizer))
    begin = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    for segments in parts:
        ids, is_label = list(begin), [False] * len(begin)
        for _, trained in segments:
            segment = next(encoded)
            ids += segment if trained is None else [*segment, tokenizer.eos_token_id]
            is_label += [bool(trained)] * (len(ids) - len(is_label))
        yield ids, is_label


def ends(tokenizer: Any, form: Form = "paper") -> list[int]:
    """Return the tokens that end an answer. Raises InputError as `encode` does."""
    eos: int = tokenizer.eos_token_id
    return sorted({chat_template.end_of_turn(tokenizer), eos}) if form == "chat" else [eos]


def prompts(
    conversations: Sequence[Sequence[Message]], tokenizer: Any, form: Form = "paper"
) -> list[npt.NDArray[np.int64]]:
    r"""Return the token ids before the answer that is generated, the first that is trained on.

    Where that is the first of all, these are `<s>User: {question}\nAssistant:`. `encode` begins
    with the same tokens, whatever its `max_length`.
    """
    first = [messages[: target(messages) + 1] for messages in conversations]
    whole = encode(first, tokenizer, sys.maxsize, form)
    return [item.ids[: int((item.labels != IGNORED).argmax())] for item in whole]


def _plain(segments: list[str], tokenizer: Any) -> list[list[int]]:
    """Tokenize text; a literal `</s>` in it is four characters, not EOS."""
    if not segments:
        return []
    encoded = tokenizer(segments, add_special_tokens=False, split_special_tokens=True)
    ids: list[list[int]] = encoded["input_ids"]
    return ids


def labelled(
    table: pa.Table, tokenizer: Any, max_length: int, form: Form = "paper"
) -> tuple[pa.Table, list[Tokens]]:
    """Return the instances that have a label after truncation, and their tokens.

    All metrics are means over these: they have a loss, and their prompts leave room for an answer.
    """
    tokens = encode(conversations(table), tokenizer, max_length, form)
    kept = [row for row, item in enumerate(tokens) if item.label_tokens]
    return table.take(pa.array(kept, pa.int64())), [tokens[row] for row in kept]


def read_labelled(
    path: Path, tokenizer: Any, settings: TemplateSettings
) -> tuple[pa.Table, list[Tokens], int]:
    """Read instances, of which `labelled` gives the first two; also return how many it leaves out.

    Raises InputError as `read_instances`, and if no instance has a label.
    """
    every = read_instances(path)
    table, tokens = labelled(every, tokenizer, settings.max_length, settings.format)
    if not tokens:
        raise InputError(
            f"{path}: no instance has a label within {settings.max_length} tokens; raise "
            "template.max_length"
        )
    return table, tokens, len(every) - len(tokens)


def lost(tokens: Sequence[Tokens]) -> str | None:
    """Return what truncation took from instances, for a warning; None if it took no label."""
    bare, cut = (
        sum(map(what, tokens)) for what in (lambda i: not i.label_tokens, lambda i: i.lost)
    )
    if not cut:
        return None
    labels = cut + sum(item.label_tokens for item in tokens)
    return (
        f"truncation to template.max_length takes {cut / labels:.1%} of the labels; {bare} of "
        f"{len(tokens)} instances ({bare / len(tokens):.1%}) have none left"
    )
