"""Runs of eight tasks for the registered tests of the takeaways, and their effects."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from runs import run

from nearfirst.figures.figure import Curve
from nearfirst.figures.run import Key, Run
from nearfirst.figures.settings import ComparisonSettings, PredictionSettings
from nearfirst.tables.settings import StabilitySettings
from nearfirst.takeaways.evidence import Data, Effect, Method
from nearfirst.takeaways.settings import TakeawaySettings
from nearfirst.takeaways.verdicts import TESTS, verdict

TASKS = "stuvwxyz"
STEPS = (0, 10, 20, 30, 40)
METHOD = Method(
    comparison=ComparisonSettings(resamples=500),
    prediction=PredictionSettings(resamples=100),
    stability=StabilitySettings(end_checkpoints=1),
)
# Intervals of 90 %, and means over label tokens.
LENIENT = replace(METHOD, settings=TakeawaySettings(alpha=0.1))
BY_TOKENS = replace(METHOD, weighting="token")


def curve(*losses: float, tasks: Sequence[float] = (0,) * 8, steps: Sequence[int] = STEPS) -> Run:
    """Return a run of eight tasks with one curve each, shifted by a number for each task."""
    return run_of(np.add.outer(losses, tasks), steps)


def run_of(losses: Any, steps: Sequence[int] = STEPS) -> Run:
    """Return a run of eight tasks with the (steps, tasks) losses."""
    return run(dict(zip(steps, np.asarray(losses, float).tolist(), strict=True)), TASKS)


def weighted(run: Run, *tokens: int) -> Run:
    """Return the run with these numbers of label tokens."""
    return replace(run, label_tokens=pd.Series(tokens, run.task.index))


def data(
    roles: Mapping[str, Sequence[Run]], metric: str = "loss", **others: Mapping[str, Sequence[Run]]
) -> Data:
    """Return runs by role, one for each seed."""
    return Data(
        [Curve(role, "flan", "specialist-0", role) for role in roles],
        {name: by_key(by_role) for name, by_role in {metric: roles, **others}.items()},
        similarities={},
        paper_steps=1000,
    )


def by_key(roles: Mapping[str, Sequence[Run]]) -> dict[Key, Run]:
    return {(role, seed): run for role, runs in roles.items() for seed, run in enumerate(runs)}


def effect_of(name: str, runs: Data, method: Method = METHOD, **options: Any) -> Effect:
    return TESTS[name](runs, method, **options)


def decide(effect: Effect) -> str:
    return verdict((effect.low, effect.high), effect.region, effect.p_value, 0.05)


def falling(shift: int = 0, sign: float = 1.0, count: int = 25) -> Data:
    """Return tasks whose loss falls at one checkpoint each, and whose distance falls later."""
    steps = list(range(0, 10 * count, 10))
    position = 3 + 2 * np.arange(8)
    fall, later = (np.arange(count)[:, None] >= position + by for by in (0, shift))
    distance = pd.DataFrame(1 - sign * later, steps, list(TASKS)).loc[10:]
    runs = data({"cluster": [run_of(4.0 - fall, steps)]})
    return replace(runs, similarities={("cluster", 0): {"cosine-min": distance}})


def sampled(seeds: int, own: float, luck: float) -> Data:
    """Return curves of two samples in one order, with a shape of the sample and noise.

    Neither the fall that both have in common, nor that one sample is harder, is a shape.
    """
    generator = np.random.default_rng(0)
    runs = {}
    for role, level in (("one", 0.0), ("two", 10.0)):
        shape = own * generator.normal(size=(5, 8)) + level - 5 * np.arange(5.0)[:, None]
        runs[role] = [run_of(shape + luck * generator.normal(size=(5, 8))) for _ in range(seeds)]
    roles = [Curve(role, "flan", role, "random") for role in runs]
    return replace(data(runs), roles=roles)
