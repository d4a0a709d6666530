"""Scores of a table of answers against the references of their instances."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar
from nearfirst.generate.table import check_instances
from nearfirst.metrics import SCORE_NAMES
from nearfirst.score.exact_match import is_blank
from nearfirst.score.scorer import Scorer
from nearfirst.score.settings import ScoreSettings
from nearfirst.score.table import SCORES
from nearfirst.score.tokenizers import Tokenizer

References = Mapping[str, tuple[str, ...]]
"""The references of each instance, by id, without blank ones."""


def references_of(
    answers: pa.Table, answers_in: Path, instances: pa.Table, instances_in: Path
) -> dict[str, tuple[str, ...]]:
    """Return the references of every instance with an answer; without text, an empty tuple.

    Raises InputError if an answer's instance is missing or of another task, or if no instance has a
    reference.
    """
    check_instances(answers, answers_in, instances, instances_in)
    columns = (instances[name].to_pylist() for name in ("id", "references"))
    known = dict(zip(*columns, strict=True))
    found = {
        id_: tuple(text for text in known[id_] or () if text is not None and not is_blank(text))
        for id_ in dict.fromkeys(answers["id"].to_pylist())
    }
    if not any(found.values()):
        raise InputError(
            f"{instances_in}: no instance has a reference with text; put correct answers into the "
            "column 'references'"
        )
    return found


def warn_of_ignored_text(
    references: References, tokenizer: Tokenizer, settings: ScoreSettings
) -> None:
    """Warn of instances without references, and of references with text that ROUGE ignores."""
    key, advice = f"scores.tokenizer: {settings.tokenizer}", "choose one for their script"
    if settings.tokenizer == "words":
        advice = "it reads a to z and digits; set it to model to compare subwords"
    without = [id_ for id_, texts in references.items() if not texts]
    ignored = [
        id_
        for id_, texts in references.items()
        if texts and (not any(map(tokenizer.tokenize, texts)) or _other_letters(texts, settings))
    ]
    for ids, problem in (
        (without, "are left out: no reference has text"),
        (ignored, f"have text in their references that {key} ignores; {advice}"),
    ):
        if ids:
            count = f"{len(ids)} of {len(references)} instances"
            logging.warning("%s (the first is id '%s') %s", count, ids[0], problem)


def _other_letters(texts: tuple[str, ...], settings: ScoreSettings) -> bool:
    text = "".join(texts).lower()
    return settings.tokenizer == "words" and any(c.isalnum() and not c.isascii() for c in text)


def score_answers(answers: pa.Table, references: References, scorer: Scorer) -> pa.Table:
    """Return the SCORES table of the answers whose instance has references, in their order.

    Logs of each step the means (0 to 100) and the number of blank answers.
    """
    ids = answers["id"].to_pylist()
    answers = answers.filter(pa.array([bool(references[id_]) for id_ in ids]))
    texts = answers["prediction"].to_pylist()
    pairs = bar(zip(texts, answers["id"].to_pylist(), strict=True), "answers", len(texts))
    scores = np.array([[*scorer.score(text, references[id_]).values()] for text, id_ in pairs])
    steps, blank = answers["step"].to_numpy(), np.array([is_blank(text) for text in texts])
    for step in np.unique(steps):
        rows = steps == step
        means = zip(SCORE_NAMES.values(), 100 * scores[rows].mean(axis=0), strict=True)
        logging.info(
            "step %d: %s (%d answers, %d empty)",
            *(step, ", ".join(f"{name} {mean:.2f}" for name, mean in means)),
            *(rows.sum(), blank[rows].sum()),
        )
    columns = [*(answers[name] for name in ("step", "id", "task")), *scores.T.astype(np.float32)]
    return pa.table(columns, schema=SCORES)
