"""The text that a reward model reads: an instruction and an answer in a template (Section A.4)."""

import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.data.conversation import instruction_of
from nearfirst.data.instances import conversations
from nearfirst.generate.table import check_instances
from nearfirst.reward.settings import RewardTextSettings

Ids = npt.NDArray[np.int64]


def exchanges_of(
    answers: pa.Table, answers_in: Path, instances: pa.Table, instances_in: Path
) -> list[tuple[str, str]]:
    """Return instruction and answer of every row. Raises what `check_instances` raises."""
    check_instances(answers, answers_in, instances, instances_in)
    talks = zip(instances["id"].to_pylist(), conversations(instances), strict=True)
    instructions = {id_: instruction_of(talk) for id_, talk in talks}
    rows = zip(answers["id"].to_pylist(), answers["prediction"].to_pylist(), strict=True)
    return [(instructions[id_], answer) for id_, answer in rows]


def exchange(template: str, instruction: str, answer: str) -> str:
    """Fill a template in one pass: braces in instruction or answer stay as they are."""
    given = {"{instruction}": instruction, "{answer}": answer}
    return re.sub(r"\{instruction\}|\{answer\}", lambda field: given[field[0]], template)


def encode(
    exchanges: Iterable[tuple[str, str]], settings: RewardTextSettings, model: Any, tokenizer: Any
) -> list[Ids]:
    """Tokenize n (instruction, answer) in the template, and log how many are cut.

    A literal `</s>` in a text is four characters and no EOS. Special tokens that the tokenizer
    adds, such as BOS, stay when the beginning of a long text is cut: to `max_length` of the
    settings, or to what model or tokenizer allow if that is less.

    Returns
    -------
    n arrays of ids.
    """
    texts = [exchange(settings.template, *each) for each in exchanges]
    if not texts:
        return []
    positions = getattr(model.config, "max_position_embeddings", None) or settings.max_length
    max_length = int(min(settings.max_length, positions, tokenizer.model_max_length))
    tokenizer.truncation_side = "left"

    def ids_of(**options: Any) -> list[list[int]]:
        found = tokenizer(texts, split_special_tokens=True, verbose=False, **options)
        ids: list[list[int]] = found["input_ids"]
        return ids

    cut = sum(len(ids) > max_length for ids in ids_of())
    logging.info("%d answers, %d cut at the start to %d tokens", len(texts), cut, max_length)
    kept = ids_of(truncation=True, max_length=max_length)
    return [np.array(ids, dtype=np.int64) for ids in kept]
