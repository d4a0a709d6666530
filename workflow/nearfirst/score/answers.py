"""Scores of a table of answers against the references of their instances."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar
from nearfirst.metrics import SCORE_NAMES
from nearfirst.score.exact_match import is_blank
from nearfirst.score.scorer import Scorer
from nearfirst.score.table import SCORES
from nearfirst.score.tokenizers import Tokenizer

References = Mapping[str, tuple[str, ...]]
"""The references of each instance, by id, without blank ones."""


def references_of(answers: pa.Table, instances: pa.Table, path: Path) -> References:
    """Return the references of every answered instance; an empty tuple if none has text.

    Raises InputError, which names the file of the instances, if no instance has a reference.
    """
    columns = (instances[name].to_pylist() for name in ("id", "references"))
    texts = dict(zip(*columns, strict=True))
    references = {
        id_: tuple(text for text in texts[id_] or () if text and not is_blank(text))
        for id_ in answers["id"].unique().to_pylist()
    }
    if not any(references.values()):
        raise InputError(
            f"{path}: no instance has a reference with text; put correct answers into the column "
            "'references'"
        )
    return references


def warn_of_ignored_text(references: References, tokenizer: Tokenizer, name: str) -> None:
    """Warn of instances without references, and of references with text that ROUGE ignores.

    `name` is the tokenizer's, from `scores.tokenizer`.
    """

    def has_ignored_text(texts: tuple[str, ...]) -> bool:
        letters = filter(str.isalnum, "".join(texts)) if name == "words" else ""
        return not all(map(str.isascii, letters)) or not any(map(tokenizer.tokenize, texts))

    without = [id_ for id_, texts in references.items() if not texts]
    ignored = [id_ for id_, texts in references.items() if texts and has_ignored_text(texts)]
    advice = "choose one for their script, such as `model`, which compares subwords"
    for ids, problem in (
        (without, "are left out: no reference has text"),
        (ignored, f"have text that scores.tokenizer: {name} ignores; {advice}"),
    ):
        if ids:
            count = f"{len(ids)} of {len(references)} instances"
            logging.warning("%s (the first is id '%s') %s", count, ids[0], problem)


def score_answers(answers: pa.Table, references: References, score: Scorer) -> pa.Table:
    """Return the SCORES table of the answers whose instance has references, in their order.

    Logs the means (0 to 100) of each step.
    """
    ids = answers["id"].to_pylist()
    answers = answers.filter(pa.array([bool(references[id_]) for id_ in ids]))
    texts, ids = answers["prediction"].to_pylist(), answers["id"].to_pylist()
    pairs = bar(zip(texts, ids, strict=True), "answers", len(ids))
    scores = [[*score(text, references[id_]).values()] for text, id_ in pairs]
    by_score = np.array(scores, dtype=np.float32).T
    columns = [*(answers[name] for name in ("step", "id", "task")), *by_score]
    table = pa.table(columns, schema=SCORES)
    means = table.group_by("step").aggregate([(name, "mean") for name in SCORE_NAMES])
    for row in means.to_pylist():
        shown = (f"{title} {100 * row[f'{key}_mean']:.2f}" for key, title in SCORE_NAMES.items())
        logging.info("step %d: %s", row["step"], ", ".join(shown))
    return table
