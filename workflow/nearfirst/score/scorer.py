"""All scores of one answer."""

from functools import lru_cache
from importlib import import_module
from statistics import fmean

from nearfirst.metrics import SCORE_NAMES
from nearfirst.score.exact_match import is_blank
from nearfirst.score.rouge import ROUGE, rouge
from nearfirst.score.settings import ScoreSettings
from nearfirst.score.tokenizers import Tokenizer

ANSWERS = 2**16
"""Answers whose scores are cached: neighbouring checkpoints often give the same ones."""


class Scorer:
    """The scores of `METRICS`: ROUGE by the settings, any other by the module of its name."""

    def __init__(self, settings: ScoreSettings, tokenizer: Tokenizer) -> None:
        self._combine = max if settings.references == "max" else fmean
        self._rouge = rouge(settings, tokenizer)
        self._functions = {
            name: getattr(import_module(f"nearfirst.score.{name}"), name)
            for name in SCORE_NAMES
            if name not in ROUGE
        }
        self._cached = lru_cache(ANSWERS)(self._score)

    def score(self, answer: str, references: tuple[str, ...]) -> dict[str, float]:
        """Return each score's maximum or mean over the references, in the order of `SCORE_NAMES`.

        There is at least one reference, and none is blank; a blank answer scores 0.
        """
        return self._cached(answer, references)

    def _score(self, answer: str, references: tuple[str, ...]) -> dict[str, float]:
        if is_blank(answer):
            return dict.fromkeys(SCORE_NAMES, 0.0)
        each = [self._compare(answer, reference) for reference in references]
        return {name: self._combine([found[name] for found in each]) for name in SCORE_NAMES}

    def _compare(self, answer: str, reference: str) -> dict[str, float]:
        found = dict(zip(ROUGE, self._rouge(answer, reference), strict=True))
        return found | {
            name: compare(answer, reference) for name, compare in self._functions.items()
        }
