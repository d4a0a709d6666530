"""What the registered tests share: equivalence, left-out tasks, and when nothing can be tested."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evidence import METHOD, curve, data, effect_of, falling, sampled

from nearfirst.common.errors import InputError
from nearfirst.takeaways.evidence import (
    POSITIVE,
    Data,
    equivalence_test,
    mean_over_tasks,
)


def test_equivalence_by_hand() -> None:
    draws = np.array([0.0, *np.arange(-40, 61) / 500])
    effect = equivalence_test(draws, 0.0, 0.089, METHOD, "correlation", 8, 1)
    # Draws of 0.09 and more are 16 of 101, and none is -0.09 or less.
    assert effect.p_value == pytest.approx(17 / 102)
    assert (effect.low, effect.high) == pytest.approx((-0.075, 0.115))
    # Beyond the margin, draws within it count twice: 85 of them, or none.
    beyond = equivalence_test(np.array([0.2, *draws[1:]]), 0.0, 0.089, METHOD, "x", 8, 1)
    assert beyond.p_value == 1
    far = equivalence_test(draws + 0.2, 0.0, 0.089, METHOD, "x", 8, 1)
    assert far.p_value == pytest.approx(2 / 102)


def test_a_task_without_a_value_in_some_seed_is_left_out() -> None:
    values = np.array([[1.0, 2.0, np.nan, 6.0], [3.0, 4.0, 5.0, 8.0]])
    effect = mean_over_tasks(values, METHOD, POSITIVE, "nats")
    assert (effect.estimate, effect.n, effect.seeds) == (pytest.approx(4), 3, 2)


RISING, AT_ZERO = curve(1, 2, 3, 4, 5), curve(1, steps=(0,))
# Its changes differ, alike in all tasks.
LINE = curve(*(step**2 for step in range(25)), steps=range(0, 250, 10))
ALL_TASKS, EARLY = {"window": "run"}, {"metric": "loss", "paper_step": 300}
ALIKE = replace(data({"cluster": [LINE]}), similarities=falling().similarities)


def two_seeds(**seeds: Sequence[int]) -> Data:
    """Return two runs for each role, with the given seeds."""
    return replace(
        data({role: [LINE] * 2 for role in seeds}),
        runs={"loss": {(role, n): LINE for role, numbers in seeds.items() for n in numbers}},
        similarities=falling().similarities,
    )


@pytest.mark.parametrize(
    ("name", "runs", "options", "message"),
    [
        ("difference", data({"A": [RISING], "B": [AT_ZERO]}), ALL_TASKS, "no common checkpoint"),
        ("equivalence", data({"A": [RISING], "B": [RISING]}), ALL_TASKS, "loss does not fall"),
        ("trend", data({"A": [RISING], "B": [RISING]}), {}, "three buckets"),
        ("early", data({"run": [RISING]}), EARLY, "loss gets no better"),
        ("early", data({"run": [curve(3, 3, 3, 3, 3)]}), EARLY, "loss gets no better"),
        ("steadier", data({"a": [LINE]}, reward={"a": [LINE]}), {"metric": "reward"}, "one run"),
        ("fairer", data({"a": [RISING]}, reward={"a": [RISING]}), {}, "one data set alone"),
        ("follows", falling(count=10), {"measure": "cosine-min"}, "8 changes .* takes 4 blocks"),
        # A fall common to all tasks says nothing about a single one.
        ("follows", ALIKE, {"measure": "cosine-min"}, "0 tasks have a value"),
        ("samples_differ", sampled(1, own=1, luck=0), {}, "with one seed"),
        ("sudden", two_seeds(cluster=(0, 1), random=(0, 2)), {}, r"seeds \[0, 2\]"),
        ("trend", two_seeds(A=(0, 1), B=(2, 3), C=(4, 5)), {}, "no common seed"),
    ],
)
def test_not_testable(name: str, runs: Data, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        effect_of(name, runs, **options)
