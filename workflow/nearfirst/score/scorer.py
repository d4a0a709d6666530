"""Scores of one answer against its references."""

from functools import lru_cache
from statistics import fmean
from typing import NamedTuple

from rouge_score.rouge_scorer import RougeScorer

from nearfirst.score.exact_match import exact_match, is_blank
from nearfirst.score.settings import ScoreSettings
from nearfirst.score.tokenizers import Tokenizer

ANSWERS = 2**16
"""Answers whose scores are kept: neighbouring checkpoints often answer alike."""


class Scores(NamedTuple):
    """Scores of an answer, from 0 to 1, in the order of the columns of `table.SCORES`."""

    rouge1: float
    rouge_l: float
    exact_match: float


class Scorer:
    """ROUGE-1, ROUGE-L and Exact Match as the settings say."""

    def __init__(self, settings: ScoreSettings, tokenizer: Tokenizer) -> None:
        self._settings = settings
        self._rouge = RougeScorer(["rouge1", "rougeL"], tokenizer=tokenizer)
        self._kept = lru_cache(ANSWERS)(self._against_all)

    def score(self, prediction: str, references: tuple[str, ...]) -> Scores:
        """Return the maximum or mean over references, each score on its own.

        Parameters
        ----------
        prediction
            The answer; a blank one scores 0.
        references
            At least one right answer, none of them blank.
        """
        return self._kept(prediction, references)

    def _against_all(self, prediction: str, references: tuple[str, ...]) -> Scores:
        if is_blank(prediction):
            return Scores(*[0.0] * len(Scores._fields))
        over = max if self._settings.references == "max" else fmean
        each = [self._against_one(prediction, reference) for reference in references]
        return Scores(*map(over, zip(*each, strict=True)))

    def _against_one(self, prediction: str, reference: str) -> Scores:
        found = self._rouge.score(reference, prediction)
        one, longest = found["rouge1"], found["rougeL"]
        match = exact_match(prediction, reference)
        if self._settings.rouge == "fmeasure":
            return Scores(one.fmeasure, longest.fmeasure, match)
        f_beta = weighted(longest.recall, longest.precision, self._settings.beta)
        return Scores(one.recall, f_beta, match)


def weighted(recall: float, precision: float, beta: float) -> float:
    """Return F_β of recall and precision (Eq. 5): above β = 1 recall weighs more; 0 if both are."""
    if not recall and not precision:
        return 0.0
    square = beta**2
    return (1 + square) * recall * precision / (recall + square * precision)
