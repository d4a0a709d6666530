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
    """Read training instances. Raises what `read_instances` raises."""
    table = read_instances(path)
    columns = (table[name].to_pylist() for name in ("id", "task", "references"))
    examples = []
    for id_, task, references, talk in zip(*columns, conversations(table), strict=True):
        question, answer = exchange_of(talk)
        texts = [text for text in [answer, *(references or [])] if text and not is_blank(text)]
        examples.append(Example(id_, task, question, answer, frozenset(map(normalize, texts))))
    return examples


@dataclass(frozen=True)
class Pool:
    """Gold answers to draw wrong ones from; the order of the examples does not matter."""

    answers: Mapping[str, Sequence[tuple[str, str]]]
    """The different answers of each task: normalized, and as they are."""
    words: Sequence[str]
    """All words of the answers."""


def pool_of(examples: Iterable[Example]) -> Pool:
    """Collect the answers of examples."""
    found: dict[str, dict[str, str]] = {}
    for example in sorted(examples, key=lambda example: (example.task, example.answer)):
        found.setdefault(example.task, {}).setdefault(normalize(example.answer), example.answer)
    words = [word for each in found.values() for text in each.values() for word in text.split()]
    return Pool({task: list(each.items()) for task, each in found.items()}, words)


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
    # As a language model loops: right at first, then the same words again and again.
    words = example.answer.split()
    end = rng.randint(1, len(words))
    phrase = words[max(0, end - rng.randint(1, 3)) : end]
    return " ".join([*words[:end], *(phrase * rng.randint(1, 8))])


def _noise(example: Example, pool: Pool, rng: random.Random) -> str | None:
    words = example.answer.split()
    for _ in range(rng.randint(1, max(2, len(words)))):
        words.insert(rng.randint(0, len(words)), rng.choice(pool.words))
    return " ".join(words)


def _empty(example: Example, pool: Pool, rng: random.Random) -> str | None:
    return ""


CORRUPTIONS: dict[str, Corruption] = {
    "other-instance": _other_instance,
    "other-task": _other_task,
    "shuffled": _shuffled,
    "truncated": _truncated,
    "repeated": _repeated,
    "noise": _noise,
    "empty": _empty,
}
"""`other-…`: right elsewhere; `shuffled`: the words in another order; `truncated`: the first ones;
`repeated`: a word or phrase looped; `noise`: words of other answers in between."""

TRIES = 8
"""Draws of a corruption before another one is taken: a shuffle may leave the words as they were."""


def corrupt(example: Example, pool: Pool, rng: random.Random) -> tuple[str, str]:
    """Draw a possible corruption of an answer that is not blank.

    Returns its name and the wrong answer, which is no Exact Match of any reference.
    """
    for name in rng.sample(list(CORRUPTIONS), len(CORRUPTIONS)):
        for _ in range(TRIES):
            rejected = CORRUPTIONS[name](example, pool, rng)
            if rejected is not None and normalize(rejected) not in example.right:
                return name, rejected
    raise AssertionError("the empty answer is wrong wherever the right one is not blank")


def pairs(datasets: Mapping[str, Sequence[Example]], settings: PreferenceSettings) -> pa.Table:
    """Return a pair for each of the chosen instances of every data set.

    Of each data set whole tasks are held out, and wrong answers come from tasks on the same side of
    that split. A training pair with the instruction of any held-out pair is dropped: two data sets
    may share a task under different names. Instances with a blank answer are skipped. A pair
    depends on the seed, its data set's name, its id and the set of instances, but not on their
    order.

    Raises InputError if the chosen instances of a data set have fewer than two tasks.
    """
    rows: list[dict[str, object]] = []
    for dataset in sorted(datasets):
        rows += _pairs_of(dataset, datasets[dataset], settings)
    measured = {row["instruction"] for row in rows if row["held_out"]}
    kept = [row for row in rows if row["held_out"] or row["instruction"] not in measured]
    return pa.Table.from_pylist(kept, schema=PREFERENCES)


def _pairs_of(
    dataset: str, examples: Sequence[Example], settings: PreferenceSettings
) -> list[dict[str, object]]:
    def draw(example: Example) -> str:
        # The hash of the id: the choice does not depend on the order.
        return hashlib.sha256(f"{settings.seed}/{dataset}/{example.id}".encode()).hexdigest()

    usable = [example for example in examples if not is_blank(example.answer)]
    chosen = sorted(usable, key=draw)[: settings.max_per_dataset]
    tasks = sorted({example.task for example in chosen})
    if len(tasks) < 2:
        raise InputError(
            f"reward.preferences: '{dataset}': {len(chosen)} instances with an answer, of "
            f"{len(tasks)} tasks; two tasks or more are needed, one to hold out; leave the data "
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
        its = (example.id, dataset, example.task, example.instruction, example.answer)
        values = (*its, rejected, corruption, side)
        rows.append(dict(zip(PREFERENCES.names, values, strict=True)))
    return rows
