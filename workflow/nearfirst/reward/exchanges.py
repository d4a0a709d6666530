"""The text that a reward model reads: an instruction and an answer in a template (Section A.4)."""

import logging
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.common.progress import bar
from nearfirst.data.conversation import instruction_of
from nearfirst.data.instances import conversations
from nearfirst.reward.settings import RewardTextSettings

Ids = npt.NDArray[np.int64]

BLOCK = 256
"""Texts tokenized at once: a tokenizer's own result takes a hundred bytes a token."""


def exchanges_of(answers: pa.Table, instances: pa.Table) -> list[tuple[str, str]]:
    """Return instruction and answer of every row."""
    rows = zip(instances["id"].to_pylist(), conversations(instances), strict=True)
    instructions = {id_: instruction_of(messages) for id_, messages in rows}
    predictions = zip(answers["id"].to_pylist(), answers["prediction"].to_pylist(), strict=True)
    return [(instructions[id_], answer) for id_, answer in predictions]


def exchange(template: str, instruction: str, answer: str) -> str:
    """Fill a template in one pass: braces in instruction or answer stay as they are."""
    values = {"{instruction}": instruction, "{answer}": answer}
    return re.sub(r"\{instruction\}|\{answer\}", lambda field: values[field[0]], template)


def encode(
    exchanges: Sequence[tuple[str, str]], settings: RewardTextSettings, model: Any, tokenizer: Any
) -> list[Ids]:
    """Tokenize n (instruction, answer) pairs in the template, and log how many are truncated.

    A literal `</s>` in a text is four characters, not EOS. A long text is cut at the start to
    `max_length`, or to the limit of model or tokenizer if that is lower; special tokens that the
    tokenizer adds, such as BOS, are kept.
    """
    positions = getattr(model.config, "max_position_embeddings", None) or settings.max_length
    max_length = int(min(settings.max_length, positions, tokenizer.model_max_length))
    tokenizer.truncation_side = "left"
    options = {"split_special_tokens": True, "verbose": False}
    result: list[Ids] = []
    num_cut = 0
    for start in bar(range(0, len(exchanges), BLOCK), "blocks of answers tokenized"):
        block = exchanges[start : start + BLOCK]
        texts = [exchange(settings.template, *pair) for pair in block]
        num_cut += sum(len(ids) > max_length for ids in tokenizer(texts, **options)["input_ids"])
        truncated = tokenizer(texts, truncation=True, max_length=max_length, **options)
        result += [np.array(ids, dtype=np.int64) for ids in truncated["input_ids"]]
    logging.info("%d answers, %d cut at the start to %d tokens", len(result), num_cut, max_length)
    return result
