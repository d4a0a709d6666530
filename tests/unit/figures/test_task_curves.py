"""Curves of single unseen tasks: by hand, picked by the rule, and what is refused."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import noisy, run, tables, write_runs, write_similarity

from nearfirst.common.errors import InputError
from nearfirst.figures.run import common_tasks
from nearfirst.figures.task_curves import full_name, pick, scaled_average, task_curves

Program = Callable[..., subprocess.CompletedProcess[str]]
TASKS = ("u", "t", "u")

RUNS = {
    ("RT", 0): run({0: (1, 9, 3), 10: (1, 8, 1)}, TASKS),
    ("RT", 1): run({0: (1, 9, 5), 10: (2, 6, 2)}, TASKS),
    ("cluster", 0): run({0: (1, 9, 3), 10: (0, 5, 0)}, TASKS),
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


def made(**changes: Any) -> pd.DataFrame:
    arguments: dict[str, Any] = {
        "tests": {"specialist-0": RUNS},
        "similarities": {"specialist-0": SIMILAR},
        "tasks": ["u"],
        "quantities": ["loss"],
        "panel": "task",
        "weighting": "instance",
        "confidence": 0.95,
    }
    return task_curves(**{**arguments, **changes})


def test_the_loss_of_a_task_by_hand() -> None:
    table = made()
    assert table.columns.tolist() == [
        *("arrangement", "step", "mean", "low", "high", "n", "panel", "quantity", "task", "test"),
        *("instances", "confidence", "left_out", "seed_0", "seed_1"),
    ]
    assert table["seed_0"].tolist() == [2, 1, 2, 0]
    assert table["seed_1"].tolist() == pytest.approx([3, 2, np.nan, np.nan], nan_ok=True)
    # Seeds 0 and 1 of RT: u is 2 and 3 at step 0, 1 and 2 at step 10.
    assert table[["arrangement", "step", "mean", "n"]].to_numpy().tolist() == [
        *(["RT", 0, 2.5, 2], ["RT", 10, 1.5, 2]),
        *(["cluster", 0, 2.0, 1], ["cluster", 10, 0.0, 1]),
    ]
    reach = 12.7062 * 0.5  # Student's quantile with one degree of freedom, standard error 1/2
    assert table["low"][:2].tolist() == pytest.approx([2.5 - reach, 1.5 - reach], rel=1e-5)
    assert table["low"][2:].isna().all()
    constant = {"panel": "u", "quantity": "loss", "task": "u", "test": "specialist-0"}
    for column, value in {**constant, "instances": 2, "left_out": 0}.items():
        assert set(table[column]) == {value}


def test_similarity_beside_the_loss() -> None:
    table = made(quantities=["loss", "cosine-min", "scaled-cosine-avg"], panel="quantity")
    assert table["panel"].unique().tolist() == ["loss", "cosine-min", "scaled-cosine-avg"]
    random = table[table["arrangement"] == "RT"].set_index(["quantity", "step"])["mean"]
    assert random["cosine-min"].to_dict() == pytest.approx({10: -0.6, 20: -0.7})
    # Each run is scaled by its own means, then the runs are averaged.
    minimum = np.array([[-0.5, -0.6], [-0.7, -0.8]])
    average = np.array([[-0.25, -0.3], [-0.45, -0.1]])
    each = average * minimum.mean(axis=1, keepdims=True) / average.mean(axis=1, keepdims=True)
    assert random["scaled-cosine-avg"].to_numpy() == pytest.approx(each.mean(axis=0))
    assert each[0] == pytest.approx(scaled_average(average[0], minimum[0]))


def test_panels_come_in_the_order_given() -> None:
    assert made(tasks=["u", "t"])["panel"].unique().tolist() == ["u", "t"]
    later = {key: run({0: (5, 5)}, ("u", "t")) for key in RUNS}
    both = made(tests={"specialist-2": later, "specialist-0": RUNS}, panel="test")
    assert both["panel"].unique().tolist() == ["specialist-2", "specialist-0"]
    assert both.groupby("panel")["instances"].first().to_dict() == {
        "specialist-0": 2,
        "specialist-2": 1,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"tasks": ["task_u"]},
            "--run RT 0 specialist-0: no unseen task 'task_u'; the nearest names are u, t",
        ),
        ({"tasks": ["u", "t"], "panel": "test"}, r"--panel test: 2 tasks in one panel \(u, t\)"),
        ({"tests": {"a": RUNS, "b": RUNS}}, r"--panel task: 2 tests in one panel \(a, b\)"),
        ({"quantities": ["cosine-mni"]}, "RT 0 specialist-0: it holds no measure 'cosine-mni'"),
        (
            {"quantities": ["cosine-min"], "similarities": {}},
            "--similarity RT 0 specialist-0: not given, but cosine-min needs it",
        ),
        (
            {"tests": {"s": {**RUNS, ("tma", 0): run({0: (1, 9, 3)}, ("v", "t", "v"))}}},
            "--run tma 0 s: no unseen task 'u'; the nearest names are",
        ),
        (
            {
                "quantities": ["cosine-min"],
                "similarities": {"specialist-0": {**SIMILAR, ("RT", 1): {}}},
            },
            "--similarity RT 1 specialist-0: it holds no measure",
        ),
    ],
)
def test_what_cannot_be_drawn(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        made(**changes)


def test_a_task_that_one_similarity_table_lacks_names_that_table() -> None:
    lacking = {name: table.drop(columns="u") for name, table in SIMILAR["RT", 1].items()}
    similarities = {"specialist-0": {**SIMILAR, ("RT", 1): lacking}}
    wanted = "--similarity RT 1 specialist-0: no unseen task 'u'; the nearest names are t"
    with pytest.raises(InputError, match=wanted):
        made(quantities=["cosine-min"], similarities=similarities)


def test_similarities_of_other_steps_are_not_averaged() -> None:
    short = {name: table.loc[[10]] for name, table in SIMILAR["RT", 1].items()}
    similarities = {**SIMILAR, ("RT", 1): short}
    with pytest.raises(InputError, match=r"\('RT', 0\) and \('RT', 1\) .* their steps differ"):
        made(quantities=["cosine-min"], similarities={"specialist-0": similarities})


def test_curves_that_cannot_be_scaled_name_their_run() -> None:
    turned = {name: -table for name, table in SIMILAR["RT", 1].items()}
    turned["cosine-min"] = SIMILAR["RT", 1]["cosine-min"]
    similarities = {"specialist-0": {**SIMILAR, ("RT", 1): turned}}
    with pytest.raises(InputError, match="--similarity RT 1 specialist-0, task 'u': "):
        made(quantities=["scaled-cosine-avg"], similarities=similarities)


# The rule ------------------------------------------------------------------------------------


def test_the_rule_by_hand() -> None:
    tasks = [f"t{i}" for i in range(16)]
    # (i + 1/2) · 16 / 3 = 2.67, 8, 13.33.
    assert pick(tasks, 3, 0, 3) == ["t2", "t8", "t13"]
    assert pick(tasks, 1, 1, 3) == ["t8"]
    assert [pick(tasks, 1, i, 4)[0] for i in range(4)] == ["t2", "t6", "t10", "t14"]
    assert pick(["a"], 1, 0, 1) == ["a"]


@given(st.integers(1, 300), st.data())
def test_picked_tasks_differ_and_lie_evenly(count: int, data: st.DataObject) -> None:
    tasks = [f"t{i:03d}" for i in range(count)]
    of = data.draw(st.integers(1, count))
    offset = data.draw(st.integers(0, of - 1))
    places = [tasks.index(task) for task in pick(tasks, of, 0, of)]
    gaps = np.diff([-places[0] - 1, *places, 2 * count - 1 - places[-1]])
    assert (gaps >= 1).all()
    assert gaps.max() - gaps.min() <= 2
    rest = pick(tasks, of - offset, offset, of)
    assert [tasks.index(task) for task in rest] == places[offset:]


@pytest.mark.parametrize(
    ("count", "offset", "of", "message"),
    [
        (1, 0, 4, "--of 4: there are only 3 unseen tasks"),
        (2, 2, 3, "--pick 2 --offset 2 --of 3"),
        (0, 0, 3, "--pick 0"),
        (1, -1, 3, "--offset -1"),
    ],
)
def test_the_rule_refuses_what_is_not_there(count: int, offset: int, of: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pick(["a", "b", "c"], count, offset, of)


def test_tasks_are_picked_from_those_of_all_runs() -> None:
    runs = [run({0: (1, 1, 1)}, tasks) for tasks in (("c", "a", "b"), ("b", "c", "d"))]
    assert common_tasks(runs) == ["b", "c"]


# Program -------------------------------------------------------------------------------------


def test_the_program(program: Program, tmp_path: Path) -> None:
    runs = noisy({"RT": 0.0, "cluster": 0.2}, 2, 6, tasks=("t", "u", "v") * 2)
    flags = write_runs(runs, tmp_path, left_out=1, names="{label} {seed} specialist-1")
    similar = {}
    for number, (label, seed) in enumerate(runs):
        values = {task: {10: -0.5 - number / 10, 20: -0.6} for task in ("t", "u", "v", "")}
        similar[label, seed] = tables({"cosine-min": values, "cosine-avg": values})
        path = write_similarity(similar[label, seed], tmp_path / f"s-{number}.parquet")
        flags += ["--similarity", label, seed, "specialist-1", path]
    flags += ["--quantities", "loss", "scaled-cosine-avg", "--output", tmp_path / "out.csv"]
    done = program("task_curves.py", *flags, "--pick", 1, "--offset", 1, "--of", 3)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "out.csv")
    expected = task_curves(
        *({"specialist-1": runs}, {"specialist-1": similar}, ["u"], ["loss", "scaled-cosine-avg"]),
        *("task", "instance", 0.95),
    )
    pd.testing.assert_frame_equal(found, expected.assign(left_out=1), atol=1e-6, check_dtype=False)
    done = program("task_curves.py", *flags, "--tasks", "w")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("no unseen task 'w'; the nearest names are v, u, t")


def test_the_beginning_of_a_name_will_do_if_it_is_the_only_one() -> None:
    tasks = ["task85_a", "task851_b", "task9_c", "task9_d", "coqa", "coqa_x"]
    assert full_name("task851", tasks) == "task851_b"
    assert full_name("task85", tasks) == "task85_a"
    assert full_name("coqa", tasks) == "coqa"
    for name in ("task9", "task8", "task", "nowhere"):
        assert full_name(name, tasks) == name
