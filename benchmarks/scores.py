"""Scoring of answers, against plain calls of rouge-score on the same pairs in this run.

The texts are generated, seeded: words follow Zipf's law and have English endings, for the stemmer.
A line says how many words answers and references have, and how often an instance is answered as at
the checkpoint before; references stay. Every measurement begins with empty caches. What the numbers
mean: benchmarks/README.md. Times are those of the CPU, on which all of this takes one core.
"""

import argparse
import os
import random
import string
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from rouge_score.rouge_scorer import RougeScorer

from nearfirst.model.pretrain import train_tokenizer
from nearfirst.score import tokenizers
from nearfirst.score.scorer import Scorer
from nearfirst.score.settings import ScoreSettings

GOAL = 2000
SHORT, LONG = (1, 12), (80, 110)
INSTANCES, CHECKPOINTS = 120, 40
VOCABULARY = 50_000

Pairs = list[tuple[str, str]]


class Kind(NamedTuple):
    """Pairs of one kind: words of an answer and of a reference, and how often answers repeat."""

    answer: tuple[int, int]
    reference: tuple[int, int]
    repeated: float


KINDS = [
    Kind(SHORT, SHORT, 0.5),
    Kind(SHORT, SHORT, 0.0),
    Kind(LONG, SHORT, 0.0),
    Kind(LONG, LONG, 0.0),
]
MIXES = {
    **{f"{k.answer} x {k.reference} words, {k.repeated:.0%} repeated": [k] for k in KINDS},
    "mixed, 45 % first, 45 % third, 10 % fourth kind": [
        *[KINDS[0]] * 9,
        *[KINDS[2]] * 9,
        *[KINDS[3]] * 2,
    ],
}


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

    def text(self, least: int, most: int) -> str:
        """Return a sentence of so many words."""
        count = self.random.randint(least, most)
        drawn = self.random.choices(self.words, cum_weights=self.sums, k=count)
        return " ".join(drawn).capitalize() + "."

    def pairs(self, kinds: list[Kind]) -> Pairs:
        """Return (answer, reference) of all checkpoints; instances take the kinds in turn."""
        chosen = [kinds[i % len(kinds)] for i in range(INSTANCES)]
        references = [self.text(*kind.reference) for kind in chosen]
        answers = [""] * INSTANCES
        found: Pairs = []
        for checkpoint in range(CHECKPOINTS):
            for i, kind in enumerate(chosen):
                if not checkpoint or self.random.random() >= kind.repeated:
                    answers[i] = self.text(*kind.answer)
            found += zip(answers, references, strict=True)
        return found


def best(work: Callable[[], object], repeats: int) -> float:
    """Return the CPU seconds of the shortest of several runs, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        since = time.process_time()
        work()
        times.append(time.process_time() - since)
    return min(times)


def ours(pairs: Pairs, tokenizer: Callable[[], tokenizers.Tokenizer]) -> None:
    scorer = Scorer(ScoreSettings(), tokenizer())
    for answer, reference in pairs:
        scorer.score(answer, (reference,))


def plain(pairs: Pairs) -> None:
    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    for answer, reference in pairs:
        scorer.score(reference, answer)


def main(arguments: argparse.Namespace) -> None:
    texts = Words(0)
    byte_level = train_tokenizer([texts.text(*LONG) for _ in range(2000)], 16_000)
    print(
        f"scores, {INSTANCES} instances x {CHECKPOINTS} checkpoints (load {os.getloadavg()[0]:.1f} "
        f"before), goal {GOAL:,} pairs/s"
    )
    for name, kinds in MIXES.items():
        pairs = texts.pairs(kinds)
        words = best(partial(ours, pairs, partial(tokenizers.words, True)), arguments.repeats)
        floor = best(partial(plain, pairs), arguments.repeats)
        cut = partial(tokenizers.subwords, byte_level)
        pieces = best(partial(ours, pairs, cut), arguments.repeats)
        speed = len(pairs) / words
        print(
            f"{name:<47}  {speed:>6,.0f} pairs/s ({'met' if speed >= GOAL else 'MISSED'})   "
            f"plain {len(pairs) / floor:>6,.0f}   ratio {floor / words:.2f}   "
            f"subwords {len(pairs) / pieces:>6,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs of which the best counts")
    main(parser.parse_args())
