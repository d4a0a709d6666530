"""Does a base model have the skills that the tasks need? Its choice among given answers."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypedDict

import pandas as pd
import torch
from scipy.stats import binom

PRESENT = 0.01
"""A skill counts as present if guessing does as well with a probability below this."""


class Question(TypedDict):
    """Prompts that one answer completes, in several wordings."""

    answer: str
    beginnings: list[str]


class Exam(TypedDict):
    """The questions about one skill; each has the answers to all of them as its options."""

    skill: str
    part: str
    questions: list[Question]


def grade(exams: Sequence[Exam], model: Any, tokenizer: Any) -> pd.DataFrame:
    """Return one row per skill: how often the model finds the right answer most likely.

    Columns: `skill`, `part`, `questions`, `options` (number of distinct answers), `chance` (share
    of the most common answer: the best score without reading the questions), `accuracy`, `p`
    (one-sided binomial test against chance) and `present` (`yes` or `no`).
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
        p = float(binom.sf(right - 1, count, chance))  # as many right by guessing, or more
        row = {"skill": exam["skill"], "part": exam["part"], "questions": count}
        row |= {"options": len(options), "chance": chance, "accuracy": right / count}
        rows.append(row | {"p": p, "present": "yes" if p < PRESENT else "no"})
    return pd.DataFrame(rows)


@torch.inference_mode()
def choose(model: Any, tokenizer: Any, beginnings: Sequence[str], options: Sequence[str]) -> str:
    """Return the option with the highest log-likelihood, summed over its tokens and beginnings."""
    prompts = [
        [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]
        for text in beginnings
    ]
    answers = [tokenizer(f" {text}", add_special_tokens=False)["input_ids"] for text in options]
    pairs = [(prompt, answer) for answer in answers for prompt in prompts]
    width = max(len(prompt) + len(answer) for prompt, answer in pairs)
    # Padding follows the text, where a causal model does not see it.
    ids = torch.zeros(len(pairs), width, dtype=torch.long)
    is_answer = torch.zeros(len(pairs), width - 1, dtype=torch.bool)
    for row, (prompt, answer) in enumerate(pairs):
        ids[row, : len(prompt) + len(answer)] = torch.tensor([*prompt, *answer])
        is_answer[row, len(prompt) - 1 : len(prompt) + len(answer) - 1] = True
    log_probs = model(input_ids=ids.to(model.device)).logits[:, :-1].log_softmax(-1).cpu()
    sums = log_probs.gather(-1, ids[:, 1:, None]).squeeze(-1).masked_fill(~is_answer, 0).sum(1)
    scores: list[float] = sums.view(len(options), -1).sum(1).tolist()
    return options[scores.index(max(scores))]
