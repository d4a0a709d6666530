"""The forced choice that says whether a base model has a skill."""

import json
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch

from nearfirst.model import forced_choice


def exam(answers: dict[str, str]) -> forced_choice.Exam:
    questions: list[forced_choice.Question] = [
        {"answer": y, "beginnings": [f"Question: {x}?\nAnswer:", f"The {x} is"]}
        for x, y in answers.items()
    ]
    return {"skill": "some", "part": "tuned", "questions": questions}


class Parrot:
    """A model that predicts some texts, token by token, and nothing else."""

    device = torch.device("cpu")

    def __init__(self, tokenizer: Any, texts: list[str]) -> None:
        self.texts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        self.vocabulary = len(tokenizer)

    def __call__(self, input_ids: torch.Tensor) -> Any:
        logits = torch.zeros(*input_ids.shape, self.vocabulary)
        for row, ids in enumerate(input_ids.tolist()):
            for text in self.texts:
                for i in range(1, len(text)):
                    if ids[1 : i + 1] == text[:i]:
                        logits[row, i, text[i]] = 5.0
        return SimpleNamespace(logits=logits)


def test_a_model_agrees_with_one_text_at_a_time(model_folder: Path, tokenizer: Any) -> None:
    from nearfirst.model.load import load_model

    model = load_model(str(model_folder)).eval()
    beginnings, options = ["The sum of two", "So we say that"], ["cold", "a long answer", "x"]
    sums = dict.fromkeys(options, 0.0)
    for beginning, option in product(beginnings, options):
        head = [tokenizer.bos_token_id, *tokenizer(beginning)["input_ids"]]
        tail = tokenizer(f" {option}")["input_ids"]
        with torch.no_grad():
            likely = model(input_ids=torch.tensor([[*head, *tail]])).logits[0].log_softmax(-1)
        sums[option] += sum(likely[len(head) - 1 + n, token].item() for n, token in enumerate(tail))
    best = max(options, key=lambda option: sums[option])
    assert forced_choice.choose(model, tokenizer, beginnings, options) == best


def test_a_skill_is_present_only_above_the_commonest_answer(tokenizer: Any) -> None:
    test = exam({f"w{n}": "good" if n % 2 else "bad" for n in range(12)})
    always = [f"{b} good" for q in test["questions"] for b in q["beginnings"]]
    row = forced_choice.grade([test], Parrot(tokenizer, always), tokenizer).iloc[0]
    assert (row["chance"], row["accuracy"], row["options"], row["present"]) == (0.5, 0.5, 2, "no")
    right = [f"{b} {q['answer']}" for q in test["questions"] for b in q["beginnings"]]
    row = forced_choice.grade([test], Parrot(tokenizer, right), tokenizer).iloc[0]
    assert (row["accuracy"], row["present"]) == (1.0, "yes")
    assert row["p"] == pytest.approx(0.5**12)


def test_the_program_warns_of_what_is_missing(
    tmp_path: Path, program: Any, model_folder: Path
) -> None:
    exams = tmp_path / "exams.json"
    exams.write_text(json.dumps([exam({f"w{n}": f"answer{n}" for n in range(6)})]))
    bases = [part for seed in (3, 4) for part in ("--base", seed, model_folder)]
    done = program("base_skills.py", *bases, "--exams", exams, "--output", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table["seed"]) == [3, 4]
    assert list(table["present"]) == ["no", "no"]
    for seed in (3, 4):
        assert f"the base model of seed {seed} lacks some ({tmp_path / 'out.csv'})" in done.stderr
