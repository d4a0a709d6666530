"""All scores of one answer: ROUGE (Eqs. 2 to 5), and the modules named in `METRICS`."""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from statistics import fmean

from rouge_score.rouge_scorer import RougeScorer

from nearfirst.metrics import SCORE_NAMES
from nearfirst.score.exact_match import is_blank
from nearfirst.score.settings import ScoreSettings
from nearfirst.score.tokenizers import Tokenizer

ROUGE = ("rouge1", "rougeL")

MAX_CACHED = 2**16
"""Answers whose scores are cached: neighbouring checkpoints often give the same ones."""

Scorer = Callable[[str, tuple[str, ...]], dict[str, float]]
"""Returns each score's maximum or mean over the references, in the order of `SCORE_NAMES`.

There is at least one reference, and none is blank; a blank answer scores 0.
"""


def make_scorer(settings: ScoreSettings, tokenizer: Tokenizer) -> Scorer:
    """Return a function that scores an answer: ROUGE by the settings, the others by a module."""
    rouge = RougeScorer(list(ROUGE), tokenizer=tokenizer)
    others = {
        name: getattr(import_module(f"nearfirst.score.{name}"), name)
        for name in SCORE_NAMES
        if name not in ROUGE
    }
    combine = max if settings.references == "max" else fmean

    def compare(answer: str, reference: str) -> dict[str, float]:
        one, longest = rouge.score(reference, answer).values()
        scores = {"rouge1": one.fmeasure, "rougeL": longest.fmeasure}
        if settings.rouge == "paper":
            scores = {"rouge1": one.recall, "rougeL": f_beta(longest.recall, longest.precision)}
        return scores | {name: score(answer, reference) for name, score in others.items()}

    def f_beta(recall: float, precision: float) -> float:
        square = settings.beta**2
        return (1 + square) * recall * precision / (recall + square * precision or 1)

    @lru_cache(MAX_CACHED)
    def score(answer: str, references: tuple[str, ...]) -> dict[str, float]:
        if is_blank(answer):
            return dict.fromkeys(SCORE_NAMES, 0.0)
        scores = [compare(answer, reference) for reference in references]
        return {name: combine([each[name] for each in scores]) for name in SCORE_NAMES}

    return score
