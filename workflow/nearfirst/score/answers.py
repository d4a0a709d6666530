"""Answers brought together with references, and scored."""

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
"""Of each instance's id the references that hold text."""


def references_of(
    answers: pa.Table, answers_in: Path, instances: pa.Table, instances_in: Path
) -> dict[str, tuple[str, ...]]:
    """Return the references that hold text, of every instance with an answer, by id.

    A blank or null reference is ignored; an id that is left with none has the empty tuple.

    Raises
    ------
    InputError
        If an answer's instance is not there or of another task, or if no instance has a reference.
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
            f"{instances_in}: no instance has a reference with text; give instances with right "
            "answers in the column 'references'"
        )
    return found


def warn_of_unseen_text(
    references: References, tokenizer: Tokenizer, settings: ScoreSettings
) -> None:
    """Log one warning if the tokenizer sees nothing of some references, or not all letters."""
    used = {id_: texts for id_, texts in references.items() if texts}
    silent = [id_ for id_, texts in used.items() if not any(map(tokenizer.tokenize, texts))]
    partly = []
    if settings.tokenizer == "words":
        letters = [id_ for id_, texts in used.items() if any(map(_has_other_letters, texts))]
        partly = [id_ for id_ in letters if any(map(tokenizer.tokenize, used[id_]))]
    parts = []
    if silent:
        parts.append(
            f"sees nothing in the references of {len(silent)} of {len(used)} instances, so that "
            f"their ROUGE is 0 whatever the answer (the first is id '{silent[0]}')"
        )
    if partly:
        parts.append(
            f"sees only the letters a to z and digits, not all of the references of {len(partly)} "
            f"of {len(used)} instances (the first is id '{partly[0]}')"
        )
    if parts:
        logging.warning(
            "scores.tokenizer: %s %s; %s",
            *(settings.tokenizer, "; it ".join(parts)),
            "set it to model to compare subwords"
            if settings.tokenizer == "words"
            else "choose one that knows their script",
        )


def _has_other_letters(text: str) -> bool:
    return not text.isascii() and any(c.isalnum() and not c.isascii() for c in text.lower())


def score_answers(answers: pa.Table, references: References, scorer: Scorer) -> pa.Table:
    """Return the SCORES table of the answers whose instance has references, in their order.

    Logs the means (times 100) of every step, and how many of its answers are blank.
    """
    ids = answers["id"].to_pylist()
    answers = answers.filter(pa.array([bool(references[id_]) for id_ in ids]))
    given = answers["prediction"].to_pylist()
    pairs = bar(zip(given, answers["id"].to_pylist(), strict=True), "answers", len(given))
    scores = np.array([scorer.score(text, references[id_]) for text, id_ in pairs])
    steps, blank = answers["step"].to_numpy(), np.array([is_blank(text) for text in given])
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
