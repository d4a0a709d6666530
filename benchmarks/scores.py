"""Scores of answers, compared with plain calls of rouge-score on the same pairs.

The texts are generated from a seed: words follow Zipf's law and have English endings for the
stemmer. A line says how long answers and references are, and how many answers repeat that of the
checkpoint before. Each measurement starts with empty caches and counts CPU time on one core.
benchmarks/README.md explains the numbers.
"""

import argparse
import random
import string
from functools import partial
from typing import NamedTuple

from rouge_score.rouge_scorer import RougeScorer
from shared import fastest, load_before, parser

from nearfirst.model.pretrain import train_tokenizer
from nearfirst.score import tokenizers
from nearfirst.score.scorer import make_scorer
from nearfirst.score.settings import ScoreSettings

GOAL = 2000
SHORT, LONG = (1, 12), (80, 110)
INSTANCES, CHECKPOINTS = 120, 40
VOCABULARY = 50_000

Pairs = list[tuple[str, str]]


class Kind(NamedTuple):
    """Fewest and most words of an answer and a reference, and the share of repeated answers."""

    answer: tuple[int, int]
    reference: tuple[int, int]
    repeated: float


KINDS = [Kind(SHORT, SHORT, 0.5), Kind(SHORT, SHORT, 0), Kind(LONG, SHORT, 0), Kind(LONG, LONG, 0)]
MIXES = {f"{k.answer} x {k.reference} words, {k.repeated:.0%} repeated": [k] for k in KINDS}
MIXES["mixed, 45 % first, 45 % third, 10 % fourth kind"] = [
    kind for kind, share in zip(KINDS, (9, 0, 9, 2), strict=True) for _ in range(share)
]


class Words:
    """Texts of invented words."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        endings = ["", "", "", "s", "ed", "ing", "ly", "ation"]
        self.words = [
            "".join(self.random.choices(string.ascii_lowercase, k=self.random.randint(2, 7)))
            + self.random.choice(endings)
            for _ in range(VOCABULARY)
        ]
        total = 0.0
        self.sums = [total := total + 1 / rank for rank in range(1, VOCABULARY + 1)]

    def text(self, shortest: int, longest: int) -> str:
        """Return a sentence of `shortest` to `longest` words."""
        count = self.random.randint(shortest, longest)
        words = self.random.choices(self.words, cum_weights=self.sums, k=count)
        return " ".join(words).capitalize() + "."

    def pairs(self, kinds: list[Kind]) -> Pairs:
        """Return (answer, reference) at all checkpoints; instances take the kinds in turn."""
        chosen = [kinds[i % len(kinds)] for i in range(INSTANCES)]
        references = [self.text(*kind.reference) for kind in chosen]
        answers = [""] * INSTANCES
        pairs: Pairs = []
        for checkpoint in range(CHECKPOINTS):
            for i, kind in enumerate(chosen):
                if not checkpoint or self.random.random() >= kind.repeated:
                    answers[i] = self.text(*kind.answer)
            pairs += zip(answers, references, strict=True)
        return pairs


def ours(pairs: Pairs, tokenizer: partial[tokenizers.Tokenizer]) -> None:
    score = make_scorer(ScoreSettings(), tokenizer())
    for answer, reference in pairs:
        score(answer, (reference,))


def plain(pairs: Pairs) -> None:
    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    for answer, reference in pairs:
        scorer.score(reference, answer)


def main(arguments: argparse.Namespace) -> None:
    texts = Words(0)
    byte_level = train_tokenizer([texts.text(*LONG) for _ in range(2000)], 16_000)
    by_words = partial(tokenizers.words, True)
    by_subwords = partial(tokenizers.subwords, byte_level)
    print(
        f"scores, {INSTANCES} instances x {CHECKPOINTS} checkpoints ({load_before()}), "
        f"goal {GOAL:,} pairs/s"
    )
    for name, kinds in MIXES.items():
        pairs = texts.pairs(kinds)
        ways = [
            partial(ours, pairs, by_words),
            partial(plain, pairs),
            partial(ours, pairs, by_subwords),
        ]
        words, floor, subwords = (cpu for _, cpu in fastest(ways, arguments.repeats))
        speed = len(pairs) / words
        print(
            f"{name:<47}  {speed:>6,.0f} pairs/s ({'met' if speed >= GOAL else 'MISSED'})   "
            f"plain {len(pairs) / floor:>6,.0f}   ratio {floor / words:.2f}   "
            f"subwords {len(pairs) / subwords:>6,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main(parser(__doc__, 3, "runs, of which the best counts").parse_args())
