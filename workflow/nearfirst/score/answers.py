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
    answers: pa.Table, answers_path: Path, instances: pa.Table, instances_path: Path
) -> dict[str, tuple[str, ...]]:
    """Return the references of every answered instance; an empty tuple if none has text.

    Raises InputError as `check_instances`, or if no instance has a reference.
    """
    check_instances(answers, answers_path, instances, instances_path)
    columns = (instances[name].to_pylist() for name in ("id", "references"))
    texts = dict(zip(*columns, strict=True))
    references = {
        id_: tuple(text for text in texts[id_] or () if text is not None and not is_blank(text))
        for id_ in dict.fromkeys(answers["id"].to_pylist())
    }
    if not any(references.values()):
        raise InputError(
            f"{instances_path}: no instance has a reference with text; put correct answers into "
            "the column 'references'"
        )
    return references


def warn_of_ignored_text(
    references: References, tokenizer: Tokenizer, settings: ScoreSettings
) -> None:
    """Warn of instances without references, and of references with text that ROUGE ignores."""
    is_words = settings.tokenizer == "words"
    advice = "choose one for their script"
    if is_words:
        advice = "it reads a to z and digits; set it to model to compare subwords"

    def has_ignored_text(texts: tuple[str, ...]) -> bool:
        letters = filter(str.isalnum, "".join(texts).lower()) if is_words else ""
        return not all(map(str.isascii, letters)) or not any(map(tokenizer.tokenize, texts))

    without = [id_ for id_, texts in references.items() if not texts]
    ignored = [id_ for id_, texts in references.items() if texts and has_ignored_text(texts)]
    for ids, problem in (
        (without, "are left out: no reference has text"),
        (ignored, f"have text that scores.tokenizer: {settings.tokenizer} ignores; {advice}"),
    ):
        if ids:
            count = f"{len(ids)} of {len(references)} instances"
            logging.warning("%s (the first is id '%s') %s", count, ids[0], problem)


def score_answers(answers: pa.Table, references: References, scorer: Scorer) -> pa.Table:
    """Return the SCORES table of the answers whose instance has references, in their order.

    Logs the means (0 to 100) and the number of blank answers of each step.
    """
    ids = answers["id"].to_pylist()
    answers = answers.filter(pa.array([bool(references[id_]) for id_ in ids]))
    texts = answers["prediction"].to_pylist()
    pairs = bar(zip(texts, answers["id"].to_pylist(), strict=True), "answers", len(texts))
    scores = np.array([[*scorer.score(text, references[id_]).values()] for text, id_ in pairs])
    steps, blank = answers["step"].to_numpy(), np.array([is_blank(text) for text in texts])
    for step in np.unique(steps):
        mask = steps == step
        means = zip(SCORE_NAMES.values(), 100 * scores[mask].mean(axis=0), strict=True)
        logging.info(
            "step %d: %s (%d answers, %d empty)",
            *(step, ", ".join(f"{name} {mean:.2f}" for name, mean in means)),
            *(mask.sum(), blank[mask].sum()),
        )
    columns = [*(answers[name] for name in ("step", "id", "task")), *scores.T.astype(np.float32)]
    return pa.table(columns, schema=SCORES)
