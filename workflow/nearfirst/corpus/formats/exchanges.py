"""What the two dialogue data sets are made of: tasks posed in talk, and small talk."""

import random
from collections.abc import Sequence

from ..corpus import distinct
from ..dialogue import dialogue
from ..scenes import draw_topic
from ..task import Task

Exchange = tuple[str, str]


def asked(rng: random.Random, tasks: Sequence[Task], count: int) -> list[Exchange]:
    """Pose that many different questions from the tasks, each in one of its phrasings."""

    def draw() -> Exchange:
        task = rng.choice(tasks)
        return task.fill(rng.choice(task.phrasings), rng)

    return list(distinct(draw, count).items())


def small_talk(rng: random.Random) -> Exchange:
    """Exchange a word about something else."""
    said, reply, *_ = dialogue(rng, draw_topic(rng)[0]).splitlines()
    return said.removeprefix("User: "), reply.removeprefix("Assistant: ")
