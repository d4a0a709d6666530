"""ROUGE-1 and ROUGE-L, as the F-measure or by the paper's formulas (Eqs. 2 to 5)."""

from collections.abc import Callable

from rouge_score.rouge_scorer import RougeScorer

from nearfirst.score.settings import ScoreSettings
from nearfirst.score.tokenizers import Tokenizer

ROUGE = ("rouge1", "rougeL")


def rouge(
    settings: ScoreSettings, tokenizer: Tokenizer
) -> Callable[[str, str], tuple[float, float]]:
    """Return a function from answer and reference to ROUGE-1 and ROUGE-L, from 0 to 1."""
    scorer = RougeScorer(list(ROUGE), tokenizer=tokenizer)

    def compare(answer: str, reference: str) -> tuple[float, float]:
        found = scorer.score(reference, answer)
        unigrams, longest = (found[name] for name in ROUGE)
        if settings.rouge == "fmeasure":
            return unigrams.fmeasure, longest.fmeasure
        return unigrams.recall, f_beta(longest.recall, longest.precision, settings.beta)

    return compare


def f_beta(recall: float, precision: float, beta: float) -> float:
    """Return F_β (Eq. 5), or 0 if both are 0; with β above 1, recall weighs more."""
    if not recall and not precision:
        return 0.0
    square = beta**2
    return (1 + square) * recall * precision / (recall + square * precision)
