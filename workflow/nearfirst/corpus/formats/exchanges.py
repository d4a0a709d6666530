"""What the two dialogue data sets are made of: tasks posed in talk, and small talk."""

import random
from collections.abc import Sequence

from ..tasks import Task, distinct

Exchange = tuple[str, str]


def asked(rng: random.Random, tasks: Sequence[Task], count: int) -> list[Exchange]:
    """Pose that many different questions from the tasks, each in one of its phrasings."""

    def draw() -> tuple[str, list[str]]:
        task = rng.choice(tasks)
        return task.fill(task.phrasings, rng)

    return [(text, answers[0]) for text, answers in distinct(draw, count).items()]
