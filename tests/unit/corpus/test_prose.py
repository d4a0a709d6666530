"""The raw text that a small model is pretrained on."""

import re

import pytest

from nearfirst.corpus.corpus import all_tasks, instances
from nearfirst.corpus.prose import documents

WRONG = r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou]|  |[{}\n]|User:"


@pytest.fixture(scope="module")
def prose() -> list[str]:
    return list(documents(4000, seed=0))


def test_documents_are_short_varied_and_depend_on_their_index(prose: list[str]) -> None:
    assert prose[:50] == list(documents(50, seed=0)) != list(documents(50, seed=1))
    assert len(set(prose)) > 0.97 * len(prose)
    dialogues = [text for text in prose if text.startswith("User: ")]
    assert 0.12 < len(dialogues) / len(prose) < 0.18
    turn = r"User: [^\n]+\nAssistant: [^\n]+"
    assert all(re.fullmatch(rf"{turn}(\n{turn})?", text) for text in dialogues)
    for text in set(prose) - set(dialogues):
        assert 20 <= len(text.split()) <= 80, text
        assert not re.search(WRONG, text), text
        assert text[-1] in '."', text


def test_prose_does_not_hold_the_instructions(prose: list[str]) -> None:
    text = "\n".join(prose)
    for task in all_tasks():
        assert not [asked for asked, _ in instances(task, 60, seed=0) if asked in text]
        for phrasing in task.phrasings:
            # A prefix of one or two words ("The", "Today is") is English, not a phrasing.
            prefix, *others = (part.strip() for part in re.split(r"\{\w+\}", phrasing))
            parts = [prefix] * (len(prefix.split()) >= 3)
            parts += [part for part in others if len(part.split()) >= 4]
            assert not [part for part in parts if part in text], task.name


def test_prose_teaches_the_words_of_the_skills(prose: list[str]) -> None:
    words = "opposite synonym category positive true plus taller happy glass barks capital Lima"
    counts = {word: " ".join(prose).count(word) for word in words.split()}
    assert min(counts.values()) >= 10, counts
