"""ShareGPT's form: one JSON array of conversations between `human` and `gpt`."""

import json
import random
from pathlib import Path

from nearfirst.corpus.settings import CorpusSettings

from ..tasks import distinct, listed_tasks
from ..text import small_talk
from .exchanges import Exchange, asked

_MAX_EXCHANGES = 4
_SMALL_TALK_SHARE = 0.3


def write(folder: Path, settings: CorpusSettings) -> int:
    """Write `sharegpt_gpt4.json`; return the number of conversations."""
    rng = random.Random(f"{settings.seed}/sharegpt")

    def draw() -> tuple[str, list[Exchange]]:
        exchanges = _conversation(rng)
        return exchanges[0][0], exchanges

    conversations = distinct(draw, settings.conversations).values()
    rows = [
        {
            "items": [
                {"from": sender, "value": value}
                for exchange in exchanges
                for sender, value in zip(("human", "gpt"), exchange, strict=True)
            ]
        }
        for exchanges in conversations
    ]
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    (folder / "sharegpt_gpt4.json").write_text(text, encoding="utf-8")
    return len(rows)


def _conversation(rng: random.Random) -> list[Exchange]:
    """Draw one to four exchanges on one skill, one of them perhaps small talk."""
    family = rng.choice(sorted({task.family for task in listed_tasks()}))
    tasks = [task for task in listed_tasks() if task.family == family]
    exchanges = asked(rng, tasks, rng.randint(1, _MAX_EXCHANGES))
    if len(exchanges) > 1 and rng.random() < _SMALL_TALK_SHARE:
        exchanges[rng.randrange(len(exchanges))] = small_talk(rng)
    return exchanges
