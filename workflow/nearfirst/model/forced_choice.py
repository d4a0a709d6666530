"""Does a base model have the skills that the tasks ask for? Its choice among given answers."""

from collections import Counter
from collections.abc import Sequence
from math import comb
from typing import Any, TypedDict

import pandas as pd
import torch

PRESENT = 0.01
"""A skill counts as present if guessing does as well with a lower probability than this."""


class Question(TypedDict):
    """Beginnings of text that one answer completes, in several wordings."""

    answer: str
    beginnings: list[str]


class Exam(TypedDict):
    """The questions about one skill; the answers to all of them are the options of each."""

    skill: str
    part: str
    questions: list[Question]


def grade(exams: Sequence[Exam], model: Any, tokenizer: Any) -> pd.DataFrame:
    """Return, a row for each skill, how often the model finds the right answer likeliest.

    Columns: `skill`, `part`, `questions`, `options` (different answers), `chance` (share of the
    commonest answer: the best that can be done without reading the questions), `accuracy`, `p`
    (one-sided binomial test of the right choices against chance) and `present` (`yes` or `no`).
    """
    rows = []
    for exam in exams:
        answers = [question["answer"] for question in exam["questions"]]
        options = list(dict.fromkeys(answers))
        right = sum(
            choose(model, tokenizer, question["beginnings"], options) == question["answer"]
            for question in exam["questions"]
        )
        count, chance = len(answers), max(Counter(answers).values()) / len(answers)
        row = {"skill": exam["skill"], "part": exam["part"], "questions": count}
        row |= {"options": len(options), "chance": chance, "accuracy": right / count}
        p = at_least(right, count, chance)
        rows.append(row | {"p": p, "present": "yes" if p < PRESENT else "no"})
    return pd.DataFrame(rows)


@torch.inference_mode()
def choose(model: Any, tokenizer: Any, beginnings: Sequence[str], options: Sequence[str]) -> str:
    """Return the option with the highest log-likelihood, summed over its tokens and beginnings."""
    heads = [
        [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        for text in beginnings
    ]
    tails = [tokenizer(f" {text}", add_special_tokens=False)["input_ids"] for text in options]
    pairs = [(head, tail) for tail in tails for head in heads]
    width = max(len(head) + len(tail) for head, tail in pairs)
    # Padding stands behind the text, where a causal model does not see it.
    ids = torch.zeros(len(pairs), width, dtype=torch.long)
    answered = torch.zeros(len(pairs), width - 1, dtype=torch.bool)
    for row, (head, tail) in enumerate(pairs):
        ids[row, : len(head) + len(tail)] = torch.tensor([*head, *tail])
        answered[row, len(head) - 1 : len(head) + len(tail) - 1] = True
    logits = model(input_ids=ids.to(model.device)).logits[:, :-1].log_softmax(-1).cpu()
    found = logits.gather(-1, ids[:, 1:, None]).squeeze(-1).masked_fill(~answered, 0).sum(1)
    scores = dict(zip(options, found.view(len(options), -1).sum(1).tolist(), strict=True))
    return max(scores, key=lambda option: scores[option])


def at_least(right: int, count: int, chance: float) -> float:
    """Return the probability of at least so many right guesses."""
    return sum(
        comb(count, k) * chance**k * (1 - chance) ** (count - k) for k in range(right, count + 1)
    )
