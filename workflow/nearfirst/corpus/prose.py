"""Raw pretraining text: the skills of the tasks as plain statements, never as instructions.

The base model has to know what the tasks ask for and must not know how they ask. A small share of
the documents is chat about other things in the template of the training data, so that the words of
the template are trained tokens.
"""

import random
from collections.abc import Iterator

from .dialogue import dialogue
from .prose_facts import FACT_KINDS
from .prose_scenes import SCENE_KINDS
from .prose_words import WORD_KINDS

# A kind gives the sentences of one paragraph on one skill.
KINDS = WORD_KINDS + FACT_KINDS + SCENE_KINDS

DIALOGUE_SHARE = 0.15
_MAX_SENTENCES = 6
_MIN_WORDS, _MAX_WORDS = 20, 80


def document(index: int, seed: int) -> str:
    """Write one document: one to six sentences of 20 to 80 words, or a short dialogue.

    It depends on its index in the text and on the seed of the text only.
    """
    rng = random.Random(f"{seed}/document/{index}")
    if rng.random() < DIALOGUE_SHARE:
        return dialogue(rng, rng.choice(KINDS)(rng)[0])
    kind = rng.choice(KINDS)
    target = rng.randint(_MIN_WORDS, 50)
    sentences: list[str] = []
    length = 0
    while length < target:
        paragraph = kind(rng)
        words = sum(len(sentence.split()) for sentence in paragraph)
        full = len(sentences) + len(paragraph) > _MAX_SENTENCES or length + words > _MAX_WORDS
        if full and length >= _MIN_WORDS:
            break
        if full:
            # Six very short sentences: start again rather than write a stub.
            sentences, length = [], 0
            continue
        if paragraph[0] in sentences:
            continue
        sentences += paragraph
        length += words
    return " ".join(sentences)


def documents(count: int, seed: int) -> Iterator[str]:
    """Write raw text documents; a larger count extends a smaller one."""
    for index in range(count):
        yield document(index, seed)
