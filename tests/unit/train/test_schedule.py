"""The rate of each step, against formulas."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import get_scheduler

from nearfirst.train.schedule import schedule_arguments
from nearfirst.train.settings import TrainSettings

TOTAL, PEAK = 20, 0.5


def rates(**settings: Any) -> list[float]:
    """The rates of the steps of a run, and what comes after the last."""
    its = schedule_arguments(TrainSettings(learning_rate=PEAK, **settings), TOTAL)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=its["learning_rate"])
    scheduler = get_scheduler(
        its["lr_scheduler_type"],
        optimizer,
        its["warmup_steps"],
        TOTAL,
        scheduler_specific_kwargs=its["lr_scheduler_kwargs"],
    )
    found = []
    for _ in range(TOTAL + 1):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def cosine(part: float) -> float:
    return (1 + math.cos(math.pi * part)) / 2


def line(part: float) -> float:
    return 1 - part


@pytest.mark.parametrize("warm_up", [0, 4])
@pytest.mark.parametrize("final", [0.0, 0.1])
@pytest.mark.parametrize(("schedule", "shape"), [("cosine", cosine), ("linear", line)])
def test_a_schedule_falls_to_its_final_rate(
    schedule: str, shape: Callable[[float], float], final: float, warm_up: int
) -> None:
    found = rates(schedule=schedule, final_rate=final, warmup_steps=warm_up)
    assert found[:warm_up] == pytest.approx([PEAK * step / 4 for step in range(warm_up)])
    parts = [step / (TOTAL - warm_up) for step in range(TOTAL - warm_up + 1)]
    assert found[warm_up:] == pytest.approx([final + (PEAK - final) * shape(x) for x in parts])
    assert found[-1] == pytest.approx(final)


def test_a_constant_rate() -> None:
    assert rates(schedule="constant") == [PEAK] * (TOTAL + 1)
    assert rates(schedule="constant", warmup_steps=2) == [0, PEAK / 2, *[PEAK] * (TOTAL - 1)]


@pytest.mark.parametrize(("given", "decay"), [(None, 4), (10, 10)])
def test_warm_up_stable_decay(given: int | None, decay: int) -> None:
    its = {"schedule": "warmup-stable-decay", "warmup_steps": 2, "final_rate": 0.1}
    found = rates(**its, decay_steps=given)
    assert found[:2] == pytest.approx([0.1, 0.3])
    assert found[2 : TOTAL - decay] == [PEAK] * (TOTAL - decay - 2)
    parts = [step / decay for step in range(decay + 1)]
    assert found[TOTAL - decay :] == pytest.approx([0.1 + 0.4 * (1 - part) for part in parts])
