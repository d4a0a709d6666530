"""Curves of single unseen tasks, by hand; which tasks a figure shows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from runs import run, tables

from nearfirst.common.errors import InputError
from nearfirst.figures.settings import CurveSettings
from nearfirst.figures.task_curves import choose_tasks, task_curves

TASKS = ("u", "t", "u")

RUNS = {
    ("RT", 0): run({0: (1, 9, 3), 10: (1, 8, 1), 20: (1, 7, 1)}, TASKS),
    ("RT", 1): run({0: (1, 9, 5), 10: (2, 6, 2), 20: (1, 7, 1)}, TASKS),
    ("cluster", 0): run({0: (1, 9, 3), 10: (0, 5, 0), 20: (0, 5, 0)}, TASKS),
}
ADDED = {("RT", 0): 0.0, ("RT", 1): 0.2, ("cluster", 0): 0.1}
SIMILAR = {
    key: tables(
        {
            "cosine-min": {task: {10: -0.5 - add, 20: -0.6 - add} for task in ("t", "u", "")},
            "cosine-avg": {task: {10: -0.25 - add, 20: -0.3 + add} for task in ("t", "u", "")},
        }
    )
    for key, add in ADDED.items()
}


def curves_of(**changes: Any) -> pd.DataFrame:
    arguments: dict[str, Any] = {
        "tests": {"specialist-0": RUNS},
        "similarities": {"specialist-0": SIMILAR},
        "tasks": ["u"],
        "quantities": ["loss"],
        "panel": "task",
        "settings": CurveSettings(),
    }
    return task_curves(**{**arguments, **changes})


def test_the_loss_of_a_task_by_hand() -> None:
    table = curves_of()
    assert table.columns.tolist() == [
        *("arrangement", "step", "mean", "low", "high", "n", "panel", "quantity", "task", "test"),
        *("instances", "confidence", "left_out", "seed_0", "seed_1"),
    ]
    assert table["seed_0"].tolist() == [2, 1, 1, 2, 0, 0]
    assert table["seed_1"].tolist() == pytest.approx([3, 2, 1, *[np.nan] * 3], nan_ok=True)
    # Seeds 0 and 1 of RT: u is 2 and 3 at step 0, 1 and 2 at step 10.
    assert table[["arrangement", "step", "mean", "n"]].to_numpy().tolist() == [
        *(["RT", 0, 2.5, 2], ["RT", 10, 1.5, 2], ["RT", 20, 1, 2]),
        *(["cluster", 0, 2.0, 1], ["cluster", 10, 0.0, 1], ["cluster", 20, 0, 1]),
    ]
    constant = {"panel": "u", "quantity": "loss", "task": "u", "test": "specialist-0"}
    for column, value in {**constant, "instances": 2, "left_out": 0}.items():
        assert set(table[column]) == {value}


def test_similarity_beside_the_loss() -> None:
    table = curves_of(quantities=["loss", "cosine-min", "scaled-cosine-avg"], panel="quantity")
    assert table["panel"].unique().tolist() == ["loss", "cosine-min", "scaled-cosine-avg"]
    random = table[table["arrangement"] == "RT"].set_index(["quantity", "step"])["mean"]
    assert random["cosine-min"].to_dict() == pytest.approx({10: -0.6, 20: -0.7})
    # Each run is scaled by its own means, then the runs are averaged.
    minimum = np.array([[-0.5, -0.6], [-0.7, -0.8]])
    average = np.array([[-0.25, -0.3], [-0.45, -0.1]])
    each = average * minimum.mean(axis=1, keepdims=True) / average.mean(axis=1, keepdims=True)
    assert random["scaled-cosine-avg"].to_numpy() == pytest.approx(each.mean(axis=0))


def test_panels_come_in_the_order_given() -> None:
    assert curves_of(tasks=["u", "t"])["panel"].unique().tolist() == ["u", "t"]
    later = {key: run({0: (5, 5)}, ("u", "t")) for key in RUNS}
    both = curves_of(tests={"specialist-2": later, "specialist-0": RUNS}, panel="test")
    assert both["panel"].unique().tolist() == ["specialist-2", "specialist-0"]
    assert both.groupby("panel")["instances"].first().to_dict() == {
        "specialist-0": 2,
        "specialist-2": 1,
    }


def test_curves_that_cannot_be_scaled_name_their_run() -> None:
    for factor in (-1, 0):
        average = factor * SIMILAR["RT", 1]["cosine-avg"]
        similarities = {**SIMILAR, ("RT", 1): {**SIMILAR["RT", 1], "cosine-avg": average}}
        with pytest.raises(InputError, match=r"RT, seed 1, task 'u': Scaled .* must be positive"):
            curves_of(quantities=["scaled-cosine-avg"], similarities={"specialist-0": similarities})


# Which tasks ---------------------------------------------------------------------------------


def test_evenly_spread_tasks_by_hand() -> None:
    tasks = [f"t{i}" for i in range(16)]
    # (i + 1/2) · 16 / 3 = 2.67, 8, 13.33.
    assert choose_tasks(tasks, None, (3, 0, 3)) == ["t2", "t8", "t13"]
    assert choose_tasks(tasks, None, (1, 1, 3)) == ["t8"]
    assert [choose_tasks(tasks, None, (1, i, 4))[0] for i in range(4)] == ["t2", "t6", "t10", "t14"]
    with pytest.raises(InputError, match="pick: 4 evenly spread tasks, but there are 3 unseen"):
        choose_tasks(["a", "b", "c"], None, (1, 0, 4))


def test_the_beginning_of_a_name_will_do_if_it_is_the_only_one() -> None:
    tasks = ["task85_a", "task851_b", "task9_c", "task9_d", "coqa", "coqa_x"]
    names = {"task851": "task851_b", "task851_b": "task851_b", "task85": "task85_a", "coqa": "coqa"}
    assert choose_tasks(tasks, list(names), (1, 0, 1)) == list(dict.fromkeys(names.values()))
    for name in ("task9", "task8", "task", "nowhere"):
        with pytest.raises(InputError, match=f"no unseen task '{name}' in all runs; the nearest"):
            choose_tasks(tasks, [name], (1, 0, 1))
