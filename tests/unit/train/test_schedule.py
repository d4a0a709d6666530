"""The rate of each step, against formulas."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import get_scheduler

from nearfirst.train.rates import rates as computed
from nearfirst.train.rates import schedule_arguments
from nearfirst.train.settings import TrainSettings

TOTAL, PEAK = 20, 0.5


def rates(**settings: Any) -> list[float]:
    """The rate of each step of a run by transformers, as we compute it, and after the last."""
    train = TrainSettings(learning_rate=PEAK, **settings)
    arguments = schedule_arguments(train, TOTAL)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=arguments["learning_rate"])
    scheduler = get_scheduler(
        arguments["lr_scheduler_type"],
        optimizer,
        arguments["warmup_steps"],
        TOTAL,
        scheduler_specific_kwargs=arguments["lr_scheduler_kwargs"],
    )
    result = []
    for _ in range(TOTAL + 1):
        result.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert result[:TOTAL] == pytest.approx(computed(train, TOTAL))
    return result


SHAPES: dict[str, Callable[[float], float]] = {
    "cosine": lambda x: (1 + math.cos(math.pi * x)) / 2,
    "linear": lambda x: 1 - x,
    "constant": lambda x: 1,
}


@pytest.mark.parametrize("warm_up", [0, 4])
@pytest.mark.parametrize(
    ("schedule", "final"),
    [("cosine", 0.0), ("cosine", 0.1), ("linear", 0.0), ("linear", 0.1), ("constant", 0.0)],
)
def test_a_schedule_falls_to_its_final_rate(schedule: str, final: float, warm_up: int) -> None:
    result = rates(schedule=schedule, final_rate=final, warmup_steps=warm_up)
    assert result[:warm_up] == pytest.approx([PEAK * step / 4 for step in range(warm_up)])
    xs = [step / (TOTAL - warm_up) for step in range(TOTAL - warm_up + 1)]
    expected = [final + (PEAK - final) * SHAPES[schedule](x) for x in xs]
    assert result[warm_up:] == pytest.approx(expected)


@pytest.mark.parametrize(("decay_steps", "decay"), [(None, 4), (10, 10)])
def test_warm_up_stable_decay(decay_steps: int | None, decay: int) -> None:
    settings = {"schedule": "warmup-stable-decay", "warmup_steps": 2, "final_rate": 0.1}
    result = rates(**settings, decay_steps=decay_steps)
    assert result[:2] == pytest.approx([0.1, 0.3])
    assert result[2 : TOTAL - decay] == [PEAK] * (TOTAL - decay - 2)
    xs = [step / decay for step in range(decay + 1)]
    assert result[TOTAL - decay :] == pytest.approx([0.1 + 0.4 * (1 - x) for x in xs])


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant", "warmup-stable-decay"])
def test_a_constant_rate_of_the_same_sum(schedule: str) -> None:
    settings = {"warmup_steps": 3, "final_rate": 0.0 if schedule == "constant" else 0.1}
    constant = rates(schedule="constant", mean_of=schedule, **settings)[:TOTAL]
    assert sum(constant) == pytest.approx(sum(rates(schedule=schedule, **settings)[:TOTAL]))
    assert len(set(constant[3:])) == 1
    with pytest.raises(ValueError, match="mean_of: only `schedule: constant`"):
        TrainSettings(schedule="linear", mean_of="cosine")
