"""All scores of one answer: ROUGE (Eqs. 2 to 5), and the modules named in `METRICS`."""

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


class Scorer:
    """Computes the scores in `METRICS`: ROUGE by the settings, any other by its own module."""

    def __init__(self, settings: ScoreSettings, tokenizer: Tokenizer) -> None:
        self._settings = settings
        self._combine = max if settings.references == "max" else fmean
        self._rouge_scorer = RougeScorer(list(ROUGE), tokenizer=tokenizer)
        self._functions = {
            name: getattr(import_module(f"nearfirst.score.{name}"), name)
            for name in SCORE_NAMES
            if name not in ROUGE
        }
        self._cached = lru_cache(MAX_CACHED)(self._score)

    def score(self, answer: str, references: tuple[str, ...]) -> dict[str, float]:
        """Return each score's maximum or mean over the references, in the order of `SCORE_NAMES`.

        There is at least one reference, and none is blank; a blank answer scores 0.
        """
        return self._cached(answer, references)

    def _score(self, answer: str, references: tuple[str, ...]) -> dict[str, float]:
        if is_blank(answer):
            return dict.fromkeys(SCORE_NAMES, 0.0)
        scores = [self._compare(answer, reference) for reference in references]
        return {name: self._combine([each[name] for each in scores]) for name in SCORE_NAMES}

    def _compare(self, answer: str, reference: str) -> dict[str, float]:
        rouge1, rouge_l = self._rouge_scorer.score(reference, answer).values()
        if self._settings.rouge == "fmeasure":
            rouge = (rouge1.fmeasure, rouge_l.fmeasure)
        else:
            f_beta = _f_beta(rouge_l.recall, rouge_l.precision, self._settings.beta)
            rouge = (rouge1.recall, f_beta)
        others = {name: compare(answer, reference) for name, compare in self._functions.items()}
        return dict(zip(ROUGE, rouge, strict=True)) | others


def _f_beta(recall: float, precision: float, beta: float) -> float:
    """Return F_β (Eq. 5), or 0 if both are 0; with β above 1, recall weighs more."""
    if not recall and not precision:
        return 0.0
    square = beta**2
    return (1 + square) * recall * precision / (recall + square * precision)
