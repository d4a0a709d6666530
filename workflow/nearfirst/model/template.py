"""The template: a conversation becomes tokens and labels (Section A.2)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tqdm import tqdm

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import ID_AND_TASK, read_table
from nearfirst.common.progress import bar
from nearfirst.data.conversation import Message, is_trained
from nearfirst.data.instances import read_conversations
from nearfirst.model import chat_template
from nearfirst.model.settings import Form, TemplateSettings

Segment = tuple[str, bool | None]
"""Text that is tokenized separately, and whether it is trained on; None if it is not an answer."""

BLOCK = 256
"""Conversations tokenized at once: a tokenizer's own result takes a hundred bytes a token."""

IGNORED = -100
"""Label of a position without loss."""


@dataclass(frozen=True)
class Tokens:
    """One tokenized instance: (n,) int64 token ids and labels; the number of labels cut off.

    A label is the token id in answers that are trained on and their EOS, `IGNORED` elsewhere.
    """

    ids: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    lost_labels: int = 0

    @property
    def label_tokens(self) -> int:
        """Number of positions with loss. The first position is not predicted."""
        return int((self.labels[1:] != IGNORED).sum())

    @property
    def prompt(self) -> npt.NDArray[np.int64]:
        r"""The ids before the first label, after which the answer is to be generated.

        If that is the very first answer, they are `<s>User: {question}\nAssistant:`.
        """
        return self.ids[: int((self.labels != IGNORED).argmax())]


def encode(
    conversations: Iterable[Sequence[Message]],
    tokenizer: Any,
    max_length: int,
    form: Form = "paper",
) -> list[Tokens]:
    r"""Encode conversations as `<s>User: {question}\nAssistant: {answer}</s>`, or by chat template.

    Segments are tokenized one by one; answers that are trained on carry labels, with their EOS.
    Later exchanges follow the EOS of the one before. There is no BOS if the tokenizer has none.
    `published` uses the segments of the paper's published code. Only the first `max_length` tokens
    are kept, so a long prompt can push out the whole answer: such an instance has
    `label_tokens == 0` and must be left out of means.

    Conversations may be a stream: `BLOCK` of them are in memory at a time. Raises InputError with
    `chat` if the tokenizer has no usable template.
    """
    conversations, result = iter(conversations), list[Tokens]()
    progress: tqdm[Any] = bar((), "conversations tokenized")
    with progress:
        while block := list(islice(conversations, BLOCK)):
            encoded = (
                chat_template.encode(block, tokenizer)
                if form == "chat"
                else _encode_segments(block, tokenizer, form)
            )
            result += [
                Tokens(
                    np.array(ids[:max_length], dtype=np.int64),
                    np.where(is_label, ids, IGNORED)[:max_length].astype(np.int64),
                    sum(is_label[max_length:]),
                )
                for ids, is_label in encoded
            ]
            progress.update(len(block))
    return result


def _segments(messages: Sequence[Message], space: str, form: Form) -> list[Segment]:
    r"""Return the segments of a conversation; each question ends by asking for its answer.

    In the published code `\nAssistant: ` is a separate segment. Its space stays even if the
    tokenizer puts another before the answer.
    """
    segments: list[Segment] = []
    for message in messages:
        content = message["content"]
        if message["role"] != "user":
            before = space if form == "paper" else ""
            segments.append((f"{before}{content}", is_trained(message)))
        elif form == "paper":
            segments.append((f"User: {content}\nAssistant:", None))
        else:
            # Every question but the first starts a new line.
            line = "\n" if segments else ""
            segments += [(f"{line}User: {content}", None), ("\nAssistant: ", None)]
    return segments


def _encode_segments(
    conversations: Sequence[Sequence[Message]], tokenizer: Any, form: Form
) -> Iterator[tuple[list[int], list[bool]]]:
    """Yield the ids of each conversation, and a mask of those that carry a label."""
    # A SentencePiece tokenizer adds the space before a first word itself.
    space = "" if tokenizer.tokenize("a")[0].startswith("▁") else " "
    all_segments = [_segments(messages, space, form) for messages in conversations]
    texts = [text for segments in all_segments for text, _ in segments]
    # A literal `</s>` in a text is four characters, not EOS.
    options = {"add_special_tokens": False, "split_special_tokens": True}
    segment_ids = iter(tokenizer(texts, **options)["input_ids"])
    bos = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    for segments in all_segments:
        ids, is_label = list(bos), [False] * len(bos)
        for _, trained in segments:
            eos = [] if trained is None else [tokenizer.eos_token_id]
            ids += [*next(segment_ids), *eos]
            is_label += [bool(trained)] * (len(ids) - len(is_label))
        yield ids, is_label


def end_tokens(tokenizer: Any, form: Form = "paper") -> list[int]:
    """Return the tokens that can end an answer. Raises InputError as `encode` does."""
    eos: int = tokenizer.eos_token_id
    return sorted({chat_template.end_of_turn(tokenizer), eos}) if form == "chat" else [eos]


def read_labelled(
    path: Path, tokenizer: Any, settings: TemplateSettings
) -> tuple[pa.Table, list[Tokens], int]:
    """Return ids and tasks of the labelled instances, their tokens, and how many are left out.

    All metrics are means over the instances that have a label after truncation: they have a loss,
    and their prompts leave room for an answer.
    Raises InputError as `read_table` does, and if no instance has a label.
    """
    instances = read_table(path, ID_AND_TASK)
    tokens = encode(read_conversations(path), tokenizer, settings.max_length, settings.format)
    kept = [row for row, item in enumerate(tokens) if item.label_tokens]
    if not kept:
        raise InputError(
            f"{path}: no instance has a label within {settings.max_length} tokens; raise "
            "template.max_length"
        )
    return instances.take(kept), [tokens[row] for row in kept], len(instances) - len(kept)


def describe_truncation(tokens: Sequence[Tokens]) -> str | None:
    """Return a warning about labels lost by truncation; None if there are none."""
    lost = sum(item.lost_labels for item in tokens)
    if not lost:
        return None
    labels = lost + sum(item.label_tokens for item in tokens)
    without = sum(not item.label_tokens for item in tokens)
    return (
        f"truncation to template.max_length removes {lost / labels:.1%} of the labels; {without} "
        f"of {len(tokens)} instances ({without / len(tokens):.1%}) have none left"
    )
