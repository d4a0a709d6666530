"""Tables of answers: read and checked, brought together with references, scored."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nearfirst.errors import InputError
from nearfirst.scoring.exact_match import is_blank
from nearfirst.scoring.scorer import Scorer
from nearfirst.scoring.tokenizers import Tokenizer
from nearfirst.settings.scores import ScoreSettings
from nearfirst.tables import GENERATIONS, SCORES, read_table

ANSWERS = pa.schema([GENERATIONS.field(name) for name in ("step", "id", "task", "prediction")])
"""What scoring reads of a generations table."""

References = Mapping[str, tuple[str, ...]]
"""Of each instance's id the references that hold text."""


def read_answers(path: Path) -> pa.Table:
    """Read step, id, task and prediction of a generations table; its metadata stays.

    Raises
    ------
    InputError
        What `read_table` raises, or if a value is null or a step has an id twice.
    """
    table = read_table(path, ANSWERS, unique=None)
    for name in ANSWERS.names:
        if table[name].null_count:
            row = pc.index(table[name].is_null(), True).as_py()
            raise InputError(
                f"{path}: row {row} (step {table['step'][row]}, id '{table['id'][row]}') has no "
                f"{name}; generate again"
            )
    counts = table.group_by(["step", "id"]).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1))
    if repeated.num_rows:
        first = repeated.slice(0, 1).to_pylist()[0]
        raise InputError(
            f"{path}: step {first['step']}, id '{first['id']}' stands in {first['count_all']} "
            "rows; generate again"
        )
    return table


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
    columns = (instances[name].to_pylist() for name in ("id", "task", "references"))
    known = {id_: (task, texts) for id_, task, texts in zip(*columns, strict=True)}
    tasks = dict(zip(answers["id"].to_pylist(), answers["task"].to_pylist(), strict=True))
    missing = [id_ for id_ in tasks if id_ not in known]
    if missing:
        raise InputError(
            f"{answers_in}: {len(missing)} ids are not in {instances_in}, the first is "
            f"'{missing[0]}'; give the instances that were answered, or generate again"
        )
    for id_, task in tasks.items():
        if task != known[id_][0]:
            raise InputError(
                f"{answers_in}: id '{id_}' is of task '{task}', but in {instances_in} of "
                f"'{known[id_][0]}'; give the instances that were answered, or generate again"
            )
    found = {
        id_: tuple(text for text in known[id_][1] or () if text is not None and not is_blank(text))
        for id_ in tasks
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
    pairs = zip(given, answers["id"].to_pylist(), strict=True)
    scores = np.array([scorer.score(text, references[id_]) for text, id_ in pairs])
    steps, blank = answers["step"].to_numpy(), np.array([is_blank(text) for text in given])
    for step in np.unique(steps):
        rows = steps == step
        logging.info(
            "step %d: ROUGE-1 %.2f, ROUGE-L %.2f, Exact Match %.2f (%d answers, %d empty)",
            *(step, *(100 * scores[rows].mean(axis=0)), rows.sum(), blank[rows].sum()),
        )
    columns = [*(answers[name] for name in ("step", "id", "task")), *scores.T.astype(np.float32)]
    return pa.table(columns, schema=SCORES)
