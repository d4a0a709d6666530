"""The programs of figures: tables and the row of a figure in, the CSV of the library out."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from programs import Program
from runs import (
    assert_equal,
    figure,
    noisy,
    run,
    save_table,
    some_answers,
    tables,
    write_runs,
    write_similarity,
)

from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.comparison.summary import summary
from nearfirst.figures.curves import curves
from nearfirst.figures.loss_types import loss_types
from nearfirst.figures.prediction import prediction
from nearfirst.figures.registry import KINDS
from nearfirst.figures.reward_distribution import distribution
from nearfirst.figures.settings import (
    ComparisonSettings,
    CurveSettings,
    DistributionSettings,
    LossTypesSettings,
    PredictionSettings,
)
from nearfirst.figures.task_curves import task_curves
from nearfirst.reward.table import REWARDS
from nearfirst.score.table import SCORES

TASKS = ("t", "u", "v")


def test_curves_and_their_comparison(csv: Any, tmp_path: Path) -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=3)
    paths = write_runs(runs | noisy({"other": 0.0}, seeds=1), tmp_path, left_out=4)
    row = ("--figure", figure("arrangements", "NFT", "RT", reference="RT"))
    # Order on the command line does not matter, and tables that are not needed are skipped.
    output = csv("figure_numbers.py", *reversed(paths), *row)
    assert_equal(output, curves(runs, CurveSettings()).assign(left_out=4))

    output = csv("compare.py", *paths, *row, "--summary", tmp_path / "paired.txt")
    expected = paired_comparison(runs, "RT", ComparisonSettings())
    assert_equal(output, expected)
    lines = (tmp_path / "paired.txt").read_text().splitlines()
    assert " ".join(lines) == summary(expected, KINDS.parse(row[1]), {"NFT": 3, "RT": 3})


def test_the_interaction_of_orders_and_conditions(csv: Any, tmp_path: Path) -> None:
    tasks = [f"task-{i % 10}" for i in range(30)]
    runs = noisy({"k": -0.8, "l": 0.0, "m": 0.8, "n": 0.0}, seeds=3, tasks=tasks)
    paths = write_runs(runs, tmp_path)
    conditions = {"one": {"NFT": "k", "RT": "l"}, "two": {"NFT": "m", "RT": "n"}}
    row = ("--figure", figure("interaction", conditions=conditions, reference="NFT"))
    training = {"one": {}, "two": {"schedule": "constant", "mean_of": "cosine"}}
    output = csv("figure_numbers.py", *paths, *row, "--training", json.dumps(training))
    assert output["panel"].unique().tolist() == ["one", "two"]
    assert output["arrangement"].unique().tolist() == ["NFT", "RT"]
    second = {(label, s): runs[k, s] for label, k in (("NFT", "m"), ("RT", "n")) for s in range(3)}
    expected = curves(second, CurveSettings())
    assert_equal(output.loc[6:, expected.columns].reset_index(drop=True), expected)
    # Of 20 steps: cos(0) to cos(3π/20), and cos(16π/20) to cos(19π/20).
    first = [(1 + math.cos(math.pi * step / 20)) / 2 for step in range(4)]
    last = [(1 + math.cos(math.pi * step / 20)) / 2 for step in range(16, 20)]
    doses = output.groupby("panel")[["rate_sum", "first_share", "last_share"]].first()
    assert doses.loc["one"].tolist() == pytest.approx(
        [1e-6 * 10.5, sum(first) / 10.5, sum(last) / 10.5], rel=1e-4
    )
    assert doses.loc["two"].tolist() == pytest.approx([1e-6 * 10.5, 0.2, 0.2], rel=1e-4)

    paired = csv("compare.py", *paths, *row, "--summary", tmp_path / "paired.txt")
    difference = paired[paired["question"] == "run"].set_index("comparison")["difference"]
    mean = {label: np.mean([runs[label, s].values.loc[10:] for s in range(3)]) for label in "klmn"}
    one, two = mean["k"] - mean["l"], mean["m"] - mean["n"]
    expected = {"NFT-RT: one": one, "NFT-RT: two": two, "NFT-RT: one - two": one - two}
    assert difference.to_dict() == pytest.approx(expected, abs=1e-5)
    text = " ".join((tmp_path / "paired.txt").read_text().split())
    assert "One, against RT: lower over the run" in text
    assert "NFT minus RT, one minus two: lower over the run" in text


def test_curves_of_tasks(csv: Any, tmp_path: Path) -> None:
    runs = noisy({"RT": 0.0, "cluster": 0.2}, 2, 6, tasks=TASKS * 2)
    paths = write_runs(runs, tmp_path, left_out=1, test="specialist-1")
    similar = {}
    for number, (label, seed) in enumerate(runs):
        values = {task: {10: -0.5 - number / 10, 20: -0.6} for task in (*TASKS, "")}
        similar[label, seed] = tables({"cosine-min": values, "cosine-avg": values})
        path, identity = tmp_path / f"s-{number}.parquet", {"arrangement": label, "seed": seed}
        paths.append(write_similarity(similar[label, seed], path, **identity, test="specialist-1"))
    quantities = ["loss", "scaled-cosine-avg"]
    keys: dict[str, object] = {"tests": ["specialist-1"], "quantities": quantities}
    row = figure("tasks", "RT", "cluster", **keys, pick=[1, 1, 3])
    output = csv("figure_numbers.py", *paths, "--figure", row)
    tests = {"specialist-1": runs}, {"specialist-1": similar}
    expected = task_curves(*tests, ["u"], quantities, "task", CurveSettings())
    assert_equal(output, expected.assign(left_out=1))


def test_prediction(csv: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    runs, similar, paths = {}, {}, []
    for seed in (0, 1):
        losses = {step: generator.normal(3, size=3) for step in (0, 10, 20, 30)}
        runs["RT", seed] = run(losses, TASKS)
        distances = pd.DataFrame(generator.normal(size=(3, 3)), (10, 20, 30), TASKS)
        similar["RT", seed] = {"cosine-min": distances}
        # The whole test set is not a task.
        whole = {"cosine-min": distances.assign(**{"": 0.0})}
        identity = {"arrangement": "RT", "seed": seed}
        paths.append(write_similarity(whole, tmp_path / f"s-{seed}.parquet", **identity))
    parts = CurveSettings(confidence=0.9), PredictionSettings(resamples=200)
    settings = ("--curves", parts[0], "--prediction", parts[1])
    paths += write_runs(runs, tmp_path)
    output = csv("figure_numbers.py", *paths, "--figure", figure("prediction", "RT"), *settings)
    assert_equal(output, prediction(runs, similar, *parts))


def test_loss_types(csv: Any, tmp_path: Path) -> None:
    runs = {("p3", 0): run({0: (5, 5, 1), 20: (1.4, 4, 1), 50: (2, 3, 2), 60: (1, 1, 3)}, TASKS)}
    paths = write_runs(runs, tmp_path, left_out=2, by="dataset")
    flags = ("--loss-types", '{"shown": 1}')
    row = ("--figure", figure("loss-types", "p3"), "--curves", '{"weighting": "token"}')
    output = csv("figure_numbers.py", *paths, *flags, *row)
    types, table = loss_types(runs, CurveSettings(weighting="token"), LossTypesSettings(shown=1))
    assert_equal(output, table.assign(left_out=2))
    assert_equal(pd.read_csv(tmp_path / "out_tasks.csv"), types)


def test_reward_distribution(csv: Any, tmp_path: Path) -> None:
    frame = some_answers(seeds=1).assign(task="t")
    scores = {name: frame["right"].astype(float) for name in SCORES.names[3:]}
    # The first instance has no reference, so no score.
    scored = frame.assign(**scores)[frame["id"] != "id-0"]
    identity = {"dataset": "p3", "test": "generalist-0"}
    paths = [
        save_table(
            pa.Table.from_pandas(part[schema.names], schema, preserve_index=False),
            tmp_path / f"{stage}.parquet",
            **identity,
        )
        for stage, part, schema in (("scores", scored, SCORES), ("rewards", frame, REWARDS))
    ]
    settings = DistributionSettings(resamples=200, bins=10)
    row = figure("rewards", dataset="p3")
    output = csv("figure_numbers.py", *paths, "--figure", row, "--distribution", settings)
    assert_equal(output, distribution(scored, settings, 1))


def test_the_row_of_a_figure_is_checked(program: Program, tmp_path: Path) -> None:
    row = figure("arrangements", "a", reference="b")
    done = program(
        "figure_numbers.py", "x.parquet", "--figure", row, "--output", tmp_path / "out.csv"
    )
    assert done.returncode == 2
    assert "reference: 'b' is none of the labels a" in done.stderr
