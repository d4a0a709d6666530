"""NoRobots' format: Parquet files of conversations, each with a category."""

import hashlib
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nearfirst.corpus.settings import CorpusSettings

from ..tasks import distinct, exchanges, listed_tasks
from ..text import small_talk
from ..wording import read_words

SCHEMA = pa.schema(
    [
        ("prompt", pa.string()),
        ("prompt_id", pa.string()),
        ("messages", pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))),
        ("category", pa.string()),
    ]
)

FAMILIES: dict[str, list[str]] = read_words(__file__)["families"]
"""Task families by published category; Chat draws from all, other categories fit none."""

_CATEGORIES = (*FAMILIES, "Chat")
_SYSTEM: list[str] = read_words(__file__)["system"]
_SYSTEM_SHARE = 0.4
_ONE_TEST_ROW_IN = 20

Message = dict[str, str]


def write(folder: Path, settings: CorpusSettings) -> int:
    """Write `data/train-…` and `data/test-…`; return the number of conversations."""
    rng = random.Random(f"{settings.seed}/norobots")

    def draw() -> tuple[str, tuple[str, list[Message]]]:
        category = rng.choice(_CATEGORIES)
        messages = _messages(rng, category)
        prompt = next(turn["content"] for turn in messages if turn["role"] == "user")
        return prompt, (category, messages)

    rows = [
        {
            "prompt": prompt,
            "prompt_id": hashlib.sha256(prompt.encode()).hexdigest(),
            "messages": messages,
            "category": category,
        }
        for prompt, (category, messages) in distinct(draw, settings.conversations).items()
    ]
    cut = len(rows) // _ONE_TEST_ROW_IN
    (folder / "data").mkdir()
    for split, part in (("test", rows[:cut]), ("train", rows[cut:])):
        path = folder / f"data/{split}-00000-of-00001.parquet"
        pq.write_table(pa.Table.from_pylist(part, schema=SCHEMA), path)
    return len(rows)


def _messages(rng: random.Random, category: str) -> list[Message]:
    """Draw one exchange; for Chat two to four, beginning with small talk."""
    messages: list[Message] = []
    if category == "Chat":
        turns = [small_talk(rng), *exchanges(rng, listed_tasks(), rng.randint(1, 3))]
        if rng.random() < _SYSTEM_SHARE:
            messages.append({"content": rng.choice(_SYSTEM), "role": "system"})
    else:
        family = rng.choice(FAMILIES[category])
        turns = exchanges(rng, [task for task in listed_tasks() if task.family == family], 1)
    for question, answer in turns:
        messages.append({"content": question, "role": "user"})
        messages.append({"content": answer, "role": "assistant"})
    return messages
