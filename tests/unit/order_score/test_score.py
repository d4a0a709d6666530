"""The order score: its formulas by hand, and simulated data whose answer is known."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from programs import Program
from scipy import stats

from nearfirst.common.embeddings import embeddings_table
from nearfirst.common.parquet import write_table
from nearfirst.distance.side import Side
from nearfirst.order_score.orders import ORDER_LOSSES, random_orders
from nearfirst.order_score.plot import order_score_caption, read_order_score
from nearfirst.order_score.score import (
    Bootstrap,
    correlations,
    p_value,
    reliability,
    score,
    task_distances,
    taus,
    weights,
)
from nearfirst.order_score.settings import OrderScoreSettings
from nearfirst.train.rates import rates
from nearfirst.train.settings import TrainSettings

BOOTSTRAP = Bootstrap(0.95, 200, 0)
Floats = npt.NDArray[np.float64]


def test_weights_by_hand() -> None:
    # 4 · 1/4, 2 · 1/2 and 1 · 1 are equal; the fourth step comes after the loss.
    halving = 1 / np.log(2)
    assert weights([4.0, 2.0, 1.0, 9.0], 3, halving) == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert weights([3.0, 1.0], 2, np.inf) == pytest.approx([0.75, 0.25])
    assert weights([3.0, 1.0], 2, 1.0) == pytest.approx(np.array([3 / np.e, 1]) / (3 / np.e + 1))
    assert taus(5).tolist() == [1, 2, 4, 8, 16, np.inf]


def test_distances_to_tasks_by_hand() -> None:
    points = np.array([[1, 0], [0, 1], [3, 4]], dtype=np.float32)
    train = Side(["a", "b", "c"], ["x"] * 3, points)
    test = Side(["1", "2", "3"], ["t", "u", "t"], points[[0, 1, 1]])
    # The cosines of (3, 4) to task t are 0.6 and 0.8, those of (1, 0) 1 and 0; to task u 0.8 and 0.
    expected = {
        "cosine-min": [[-0.8, -0.8], [-1, 0]],
        "cosine-avg": [[-0.7, -0.8], [-0.5, 0]],
        "cosine-max": [[-0.6, -0.8], [0, 0]],
        "cosine-centroid": [[-1.4 / 2**0.5, -0.8], [-(0.5**0.5), 0]],
        "euclidean-centroid": [[18.5**0.5, 18**0.5], [0.5**0.5, 2**0.5]],
        "euclidean-avg": [[(20**0.5 + 18**0.5) / 2, 18**0.5], [0.5**0.5, 2**0.5]],
    }
    for measure, distances in expected.items():
        result = task_distances(measure, train, np.array([2, 0]), test)
        assert result == pytest.approx(np.array(distances))


def test_reliability_by_hand() -> None:
    # Of two halves of equal variance, Cronbach's α is Spearman and Brown's 2 r / (1 + r).
    halves = np.array([[1, 2], [2, 1], [3, 4], [4, 3]], dtype=float)
    r = stats.pearsonr(*halves.T).statistic
    assert reliability(halves) == pytest.approx(2 * r / (1 + r))
    assert np.isnan(reliability(halves[:, :1]))
    assert np.isnan(reliability(np.ones((4, 2))))


def test_correlations_are_scipy_s_and_permutations_detect_them() -> None:
    generator = np.random.default_rng(0)
    losses = np.round(generator.normal(size=(30, 4)), 1)
    predicted = losses + generator.normal(size=losses.shape)
    predicted[:, 3] = 1.0
    pairs = zip(predicted.T[:3], losses.T[:3], strict=True)
    expected = [*(stats.spearmanr(*pair).statistic for pair in pairs), np.nan]
    assert correlations(predicted, losses) == pytest.approx(expected, nan_ok=True)
    assert p_value(predicted, losses, 99, 0) == 0.01
    assert p_value(-predicted, losses, 99, 0) == 1.0
    # Tasks are shuffled together, so ten that are alike say no more than one.
    one = predicted[:, :1] + 3 * generator.normal(size=(30, 1)), losses[:, :1]
    alike = (values.repeat(10, axis=1) for values in one)
    assert 0.02 < p_value(*one, 199, 0) == p_value(*alike, 199, 0)
    # Of two orders, half of all shuffles are the sample itself, and count as high.
    two = np.array([[0.0], [1.0]])
    assert 0.3 < p_value(two, two, 99, 0) < 0.7


@pytest.fixture
def simulation() -> tuple[OrderScoreSettings, TrainSettings, Side, Side, Floats, dict[int, Floats]]:
    """Simulate losses that are weighted distances to tasks with τ = 4, plus a little noise."""
    generator = np.random.default_rng(1)
    settings = OrderScoreSettings(orders=40, steps=12, early=6)
    train = TrainSettings(steps=12, batch_size=2)
    sides = [
        Side(
            [f"{name}-{i}" for i in range(count)],
            [f"task-{i % 4}" for i in range(count)],
            generator.normal(size=(count, 8)).astype(np.float32),
        )
        for name, count in (("train", 30), ("test", 8))
    ]
    distances = task_distances("cosine-avg", sides[0], np.arange(30), sides[1])
    by_step = distances[random_orders(30, 2, settings)].reshape(40, 12, 2, 4).mean(axis=2)
    losses = {
        step: 2
        + np.einsum("s,osg->og", weights(rates(train, 12), step, 4.0), by_step[:, :step])
        + generator.normal(size=(40, 4)) * 1e-4
        for step in (6, 12)
    }
    return settings, train, *sides, by_step, losses


def test_the_true_measure_and_tau_are_recovered(simulation: Any) -> None:
    _, train, *_, by_step, losses = simulation
    noise = np.random.default_rng(2).normal(size=by_step.shape)
    reliabilities = dict.fromkeys(losses, np.full(4, 0.5))
    measures = {("text", "true"): by_step, ("text", "noise"): noise}
    table = score(losses, reliabilities, measures, rates(train, 12), BOOTSTRAP)
    true = table[table["measure"] == "true"]
    assert true["tau"].tolist() == [4, 4]
    assert (true["mean"] > 0.99).all()
    assert (true["p_value"] == 1 / 201).all()
    assert (true["low"] <= true["mean"]).all()
    assert (true["orders"] == 20).all()
    noisy = table[table["measure"] == "noise"]
    assert (noisy["mean"].abs() < 0.5).all()
    assert (table["reliability"] == 0.5).all()
    # τ is fitted on the orders of even number and judged on the others.
    for _, row in noisy.iterrows():
        step = row["step"]
        by_tau = {}
        for tau in taus(step):
            predicted = np.einsum(
                "s,osg->og", weights(rates(train, 12), step, tau), noise[:, :step]
            )
            by_tau[tau] = [
                np.mean([stats.spearmanr(x, y)[0] for x, y in zip(a.T, b.T, strict=True)])
                for a, b in ((predicted[k::2], losses[step][k::2]) for k in (0, 1))
            ]
        assert row["tau"] == max(by_tau, key=lambda tau: by_tau[tau][0])
        assert row[["fitted", "mean"]].tolist() == pytest.approx(by_tau[row["tau"]])


def test_the_interval_is_a_bootstrap_over_tasks_and_the_draws_are_seeded(simulation: Any) -> None:
    _, train, *_, by_step, losses = simulation
    noise = np.random.default_rng(2).normal(size=by_step.shape)
    reliabilities = {step: np.array([0.1, 0.9, np.nan, 0.5]) for step in losses}
    tables = [
        score(losses, reliabilities, {("text", "noise"): noise}, rates(train, 12), bootstrap)
        for bootstrap in (BOOTSTRAP, Bootstrap(0.95, 200, 1), Bootstrap(0.5, 200, 0))
    ]
    # Means of three draws of three values: from the lowest to the highest at this level.
    names = ["reliability_low", "reliability", "reliability_high"]
    assert tables[0].loc[0, names].tolist() == pytest.approx([0.1, 0.5, 0.9])
    widths = [table["high"] - table["low"] for table in tables]
    assert (widths[0] != widths[1]).all()
    assert (widths[2] < 0.6 * widths[0]).all()
    assert (tables[0]["p_value"] != tables[1]["p_value"]).any()


def write_tables(simulation: Any, folder: Path, **identity: str) -> tuple[Any, ...]:
    """Write a simulation to files, and return the arguments of `order_score.py`."""
    settings, train, pool, test, _, losses = simulation
    for side, name in ((pool, "train"), (test, "test")):
        ids = pa.table({"id": side.ids, "task": side.tasks})
        write_table(ids, folder / f"{name}.parquet")
        write_table(embeddings_table(side.ids, side.embeddings), folder / f"{name}-e.parquet")
    shift = np.repeat([0.01, -0.01], 4)
    rows = [
        (order, step, test.ids[i], test.tasks[i], loss[order, i % 4] + shift[i], 3)
        for order in range(40)
        for step, loss in losses.items()
        for i in range(8)
    ]
    frame = pd.DataFrame(rows, columns=ORDER_LOSSES.names)
    table = pa.Table.from_pandas(frame, ORDER_LOSSES, preserve_index=False)
    write_table(table, folder / "losses.parquet", identity)
    return (
        *("--losses", folder / "losses.parquet"),
        *("--instances", folder / "train.parquet", "--test", folder / "test.parquet"),
        *("--embeddings", "text", folder / "train-e.parquet", folder / "test-e.parquet"),
        *("--settings", settings.canonical(), "--train", train.canonical()),
        *("--prediction", '{"resamples": 200}', "--output", folder / "score.csv"),
    )


def test_held_out_conversations_are_units_whatever_their_topic(
    simulation: Any, program: Program, tmp_path: Path
) -> None:
    program("order_score.py", *write_tables(simulation, tmp_path, test="heldout"), check=True)
    table = read_order_score(tmp_path / "score.csv")
    assert set(table["n"]) == {8}
    # Each is one instance.
    assert table["reliability"].isna().all()
    text = order_score_caption(table, "mine")
    assert "mean over conversations." in text
    assert "over 8 conversations." in text
    assert "task" not in text


def test_from_tables_to_a_figure(simulation: Any, program: Program, tmp_path: Path) -> None:
    *_, losses = simulation
    program("order_score.py", *write_tables(simulation, tmp_path), check=True)
    table = read_order_score(tmp_path / "score.csv")
    average = table[table["measure"] == "cosine-avg"].set_index("step")
    assert (average["mean"] > 0.99).all()
    # Both instances of a task vary alike.
    assert average["reliability"].to_numpy() == pytest.approx(1, abs=1e-4)
    expected = [loss.std(axis=0, ddof=1).mean() for loss in losses.values()]
    assert average["spread"].to_numpy() == pytest.approx(np.array(expected), rel=1e-4)

    call = ("--table", tmp_path / "score.csv", "--dataset", "mine", "--output", tmp_path / "s.pdf")
    program("plot_order_score.py", *call, check=True)
    assert (tmp_path / "s.pdf").read_bytes().startswith(b"%PDF")
    text = " ".join((tmp_path / "s.txt").read_text().split())
    assert "20 orders of the same training instances of mine" in text
    assert "τ = 4 steps" in text
