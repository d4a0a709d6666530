"""Preference pairs: the gold answer of a training instance and a corrupted one."""

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import exchange_of
from nearfirst.data.instances import conversations, read_instances
from nearfirst.reward.settings import PreferenceSettings
from nearfirst.reward.table import PREFERENCES
from nearfirst.score.exact_match import is_blank, normalize


@dataclass(frozen=True)
class Example:
    """An exchange of a training instance; `right` holds its normalized references."""

    id: str
    task: str
    instruction: str
    answer: str
    right: frozenset[str]


def read_examples(path: Path) -> list[Example]:
    """Read training instances. Raises InputError as `read_instances`."""
    table = read_instances(path)
    columns = (table[name].to_pylist() for name in ("id", "task", "references"))
    examples = []
    for id_, task, references, messages in zip(*columns, conversations(table), strict=True):
        instruction, answer = exchange_of(messages)
        texts = [text for text in [answer, *(references or [])] if text and not is_blank(text)]
        examples.append(Example(id_, task, instruction, answer, frozenset(map(normalize, texts))))
    return examples


@dataclass(frozen=True)
class Pool:
    """Gold answers to draw wrong ones from; the order of the examples does not matter."""

    answers: Mapping[str, Sequence[tuple[str, str]]]
    """The distinct answers of each task: normalized and original."""
    words: Sequence[str]
    """All words of the answers."""


def pool_of(examples: Iterable[Example]) -> Pool:
    """Collect the answers of examples."""
    by_task: dict[str, dict[str, str]] = {}
    for example in sorted(examples, key=lambda example: (example.task, example.answer)):
        by_task.setdefault(example.task, {}).setdefault(normalize(example.answer), example.answer)
    words = [word for texts in by_task.values() for text in texts.values() for word in text.split()]
    return Pool({task: list(texts.items()) for task, texts in by_task.items()}, words)


Corruption = Callable[[Example, Pool, random.Random], str | None]
"""Returns a corrupted answer, or None if this corruption is impossible."""


def _other_instance(example: Example, pool: Pool, rng: random.Random) -> str | None:
    others = [text for key, text in pool.answers[example.task] if key not in example.right]
    return rng.choice(others) if others else None


def _other_task(example: Example, pool: Pool, rng: random.Random) -> str | None:
    others = [task for task in pool.answers if task != example.task]
    return rng.choice(pool.answers[rng.choice(others)])[1] if others else None


def _shuffled(example: Example, pool: Pool, rng: random.Random) -> str | None:
    words = example.answer.split()
    return " ".join(rng.sample(words, len(words)))


def _truncated(example: Example, pool: Pool, rng: random.Random) -> str | None:
    words = example.answer.split()
    return " ".join(words[: rng.randrange(1, len(words))]) if len(words) > 1 else None


def _repeated(example: Example, pool: Pool, rng: random.Random) -> str | None:
    # Language models loop like this: right at first, then the same words again and again.
    words = example.answer.split()
    end = rng.randint(1, len(words))
    phrase = words[max(0, end - rng.randint(1, 3)) : end]
    return " ".join([*words[:end], *(phrase * rng.randint(1, 8))])


def _noise(example: Example, pool: Pool, rng: random.Random) -> str | None:
    words = example.answer.split()
    for _ in range(rng.randint(1, max(2, len(words)))):
        words.insert(rng.randint(0, len(words)), rng.choice(pool.words))
    return " ".join(words)


CORRUPTIONS: dict[str, Corruption] = {
    "other-instance": _other_instance,
    "other-task": _other_task,
    "shuffled": _shuffled,
    "truncated": _truncated,
    "repeated": _repeated,
    "noise": _noise,
    "empty": lambda example, pool, rng: "",
}
"""`other-…`: right elsewhere; `shuffled`: the words in another order; `truncated`: the first words;
`repeated`: a word or phrase looped; `noise`: words of other answers inserted."""

MAX_TRIES = 8
"""Draws of one corruption before another is taken: a shuffle may leave the words in order."""


def corrupt(example: Example, pool: Pool, rng: random.Random) -> tuple[str, str]:
    """Draw a possible corruption of an answer that is not blank.

    Returns its name and the wrong answer, which is not an Exact Match of any reference.
    """
    for name in rng.sample(list(CORRUPTIONS), len(CORRUPTIONS)):
        for _ in range(MAX_TRIES):
            rejected = CORRUPTIONS[name](example, pool, rng)
            if rejected is not None and normalize(rejected) not in example.right:
                return name, rejected
    raise AssertionError("an empty answer is wrong unless the right one is blank")


def pairs(datasets: Mapping[str, Sequence[Example]], settings: PreferenceSettings) -> pa.Table:
    """Make a pair from each of the chosen instances of every data set.

    Whole tasks of each data set are held out, and wrong answers come from tasks on the same side of
    that split. A training pair with the instruction of any held-out pair is dropped, since two data
    sets may share a task under different names. Instances with a blank answer are skipped. A pair
    depends on the seed, its data set's name, its id and the set of instances, but not on their
    order.

    Raises InputError if the chosen instances of a data set have fewer than two tasks.
    """
    rows = [
        row for dataset in sorted(datasets) for row in _rows(dataset, datasets[dataset], settings)
    ]
    held_out = {row["instruction"] for row in rows if row["held_out"]}
    kept = [row for row in rows if row["held_out"] or row["instruction"] not in held_out]
    return pa.Table.from_pylist(kept, schema=PREFERENCES)


def _rows(
    dataset: str, examples: Sequence[Example], settings: PreferenceSettings
) -> list[dict[str, object]]:
    def draw(example: Example) -> str:
        # Sorting by a hash of the id makes the choice independent of the order.
        return hashlib.sha256(f"{settings.seed}/{dataset}/{example.id}".encode()).hexdigest()

    usable = [example for example in examples if not is_blank(example.answer)]
    chosen = sorted(usable, key=draw)[: settings.max_per_dataset]
    tasks = sorted({example.task for example in chosen})
    if len(tasks) < 2:
        raise InputError(
            f"reward.preferences: '{dataset}' has {len(chosen)} instances with an answer, from "
            f"{len(tasks)} tasks; at least two tasks are needed, one to hold out; leave the data "
            "set out, sample more of it, or raise reward.preferences.max_per_dataset"
        )
    count = min(max(1, round(settings.held_out * len(tasks))), len(tasks) - 1)
    held_out = set(random.Random(f"held-out/{settings.seed}/{dataset}").sample(tasks, count))
    pools = {
        side: pool_of(example for example in usable if (example.task in held_out) == side)
        for side in (False, True)
    }
    rows: list[dict[str, object]] = []
    for example in chosen:
        side = example.task in held_out
        rng = random.Random(f"{settings.seed}/{dataset}/{example.id}")
        corruption, rejected = corrupt(example, pools[side], rng)
        rows.append(
            {
                "id": example.id,
                "dataset": dataset,
                "task": example.task,
                "instruction": example.instruction,
                "chosen": example.answer,
                "rejected": rejected,
                "corruption": corruption,
                "held_out": side,
            }
        )
    return rows
