"""ShareGPT's format: a JSON array of conversations between `human` and `gpt`."""

import json
import random
from pathlib import Path

from nearfirst.corpus.settings import CorpusSettings

from ..tasks import Exchange, distinct, exchanges, listed_tasks
from ..text import small_talk

_MAX_EXCHANGES = 4
_SMALL_TALK_SHARE = 0.3


def write(folder: Path, settings: CorpusSettings) -> int:
    """Write `sharegpt_gpt4.json`; return the number of conversations."""
    rng = random.Random(f"{settings.seed}/sharegpt")

    def draw() -> tuple[str, list[Exchange]]:
        conversation = _conversation(rng)
        return conversation[0][0], conversation

    conversations = distinct(draw, settings.conversations).values()
    rows = [
        {
            "items": [
                {"from": sender, "value": value}
                for exchange in conversation
                for sender, value in zip(("human", "gpt"), exchange, strict=True)
            ]
        }
        for conversation in conversations
    ]
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    (folder / "sharegpt_gpt4.json").write_text(text, encoding="utf-8")
    return len(rows)


def _conversation(rng: random.Random) -> list[Exchange]:
    """Draw one to four exchanges on one skill, one of them perhaps small talk."""
    family = rng.choice(sorted({task.family for task in listed_tasks()}))
    tasks = [task for task in listed_tasks() if task.family == family]
    conversation = exchanges(rng, tasks, rng.randint(1, _MAX_EXCHANGES))
    if len(conversation) > 1 and rng.random() < _SMALL_TALK_SHARE:
        conversation[rng.randrange(len(conversation))] = small_talk(rng)
    return conversation
