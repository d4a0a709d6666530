"""Rank correlations of similarity with loss, and their bootstrap, against SciPy."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from runs import Runs, run
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.prediction import prediction
from nearfirst.figures.settings import CurveSettings, PredictionSettings

Floats = npt.NDArray[np.float64]
Similarities = dict[tuple[str, int], dict[str, pd.DataFrame]]
TASKS = ("t", "u", "v", "w", "x")


def worlds(
    losses: Mapping[tuple[str, int], Floats], distances: Mapping[str, Callable[[Floats], Floats]]
) -> tuple[Runs, Similarities]:
    """Make runs of (checkpoints, tasks) losses, and distances that follow from them."""
    runs: Runs = {}
    similar: Similarities = {}
    for key, table in losses.items():
        steps = [10 * (row + 1) for row in range(len(table))]
        tasks = TASKS[: table.shape[1]]
        start = {0: [99.0] * len(tasks)}  # not used: nothing is seen at step 0
        runs[key] = run(start | dict(zip(steps, table.tolist(), strict=True)), tasks)
        similar[key] = {
            name: pd.DataFrame(follow(table), steps, tasks) for name, follow in distances.items()
        }
    return runs, similar


def predict(runs: Runs, similar: Similarities, **changes: Any) -> pd.DataFrame:
    curves = {key: changes.pop(key) for key in ("weighting", "confidence") if key in changes}
    settings = PredictionSettings(**{"resamples": 200, **changes})
    return prediction(runs, similar, CurveSettings(**curves), settings)


def random_worlds(seed: int = 0, labels: str = "AAB") -> tuple[Runs, Similarities]:
    generator = np.random.default_rng(seed)
    keys = [(label, number) for number, label in enumerate(labels)]
    losses = {key: generator.normal(size=(6, 5)) for key in keys}
    noise = lambda table: table + generator.normal(size=table.shape)  # noqa: E731
    return worlds(losses, {"noisy": noise, "coarse": lambda table: np.round(noise(table))})


# Correlations --------------------------------------------------------------------------------

spearman = np.vectorize(lambda x, y: stats.spearmanr(x, y)[0], signature="(n),(n)->()")
"""Along the last axis."""


def test_the_statistics_are_scipys() -> None:
    runs, similar = random_worlds()
    table = predict(runs, similar)
    assert table.columns.tolist() == [
        *("measure", "statistic", "mean", "low", "high", "n", "runs", "checkpoints"),
        *("left_out", "confidence"),
    ]
    losses = np.stack([runs[key].values.loc[10:].to_numpy() for key in runs])
    for measure in ("noisy", "coarse"):
        distances = np.stack([similar[key][measure].to_numpy() for key in runs])
        along = spearman(losses.swapaxes(1, 2), distances.swapaxes(1, 2))
        across = spearman(losses, distances)
        # Two arrangements, of which the first has two seeds; their difference, both ways round.
        x, y = (values[:2].mean(axis=0) - values[2] for values in (losses, distances))
        between = spearman(np.hstack([x, -x]), np.hstack([y, -y]))
        rows = table[table["measure"] == measure].set_index("statistic")
        expected = {
            "pooled": float(spearman(losses.ravel(), distances.ravel())),
            "over checkpoints": np.nanmean(along),
            "over tasks": np.nanmean(across),
            "between arrangements": np.nanmean(between),
        }
        assert rows["mean"].to_dict() == pytest.approx(expected)
        assert rows["left_out"].tolist() == [
            *(0, np.isnan(along).sum(), np.isnan(across).sum(), np.isnan(between).sum())
        ]
    assert (table[["n", "runs", "checkpoints"]] == [5, 3, 6]).to_numpy().all()
    assert ((table["low"] < table["mean"]) & (table["mean"] < table["high"])).all()


def test_a_perfect_measure_and_one_that_never_changes() -> None:
    generator = np.random.default_rng(0)
    losses = {("RT", seed): generator.normal(size=(4, 3)) for seed in range(2)}
    table = predict(*worlds(losses, {"same": np.exp, "constant": np.zeros_like}))
    table = table.set_index(["measure", "statistic"])
    bounds = table.loc["same", ["mean", "low", "high"]].to_numpy(dtype=float)
    assert bounds == pytest.approx(np.ones((3, 3)))
    # 2 runs of 3 tasks and 4 checkpoints: all at once, along 6 runs of tasks, across 8 checkpoints.
    assert table.loc["constant", ["mean", "low", "high"]].isna().to_numpy().all()
    assert table.loc["constant", "left_out"].tolist() == [1, 6, 8]
    assert set(table.loc["same", "left_out"]) == {0}


def test_only_tasks_and_steps_of_all_runs_count() -> None:
    runs, similar = random_worlds()
    less = run({0: (1,) * 4} | {step: range(4) for step in (10, 20)}, TASKS[:4])
    similar["B", 9] = {
        name: pd.DataFrame(np.arange(10).reshape(2, 5), [10, 20], TASKS) for name in similar["A", 0]
    }
    table = predict(runs | {("B", 9): less}, similar)
    assert (table[["n", "checkpoints"]] == [4, 2]).to_numpy().all()


def test_the_loss_of_a_task_is_weighted_as_in_the_curves() -> None:
    runs, similar = worlds({("RT", 0): np.random.default_rng(0).normal(size=(4, 5))}, {"m": np.exp})
    # A second instance of each task, with few label tokens, moves the other way and further.
    first = runs["RT", 0].values.loc[10:].to_numpy()
    losses = dict(zip((10, 20, 30, 40), np.hstack([first, -3 * first]).tolist(), strict=True))
    runs["RT", 0] = run({0: [99.0] * 10} | losses, TASKS * 2, [99] * 5 + [1] * 5)
    for weighting, expected in (("instance", -1), ("token", 1)):
        table = predict(runs, similar, weighting=weighting).set_index("statistic")
        assert table["mean"].to_dict() == pytest.approx(
            dict.fromkeys(("pooled", "over checkpoints", "over tasks"), expected)
        )


# Bootstrap -----------------------------------------------------------------------------------


def test_seeds_are_drawn_within_their_label() -> None:
    table = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    # The loss of one run rises with the distance, that of the other falls: on average nothing.
    up, down = table, table[::-1]

    def interval(*keys: tuple[str, int]) -> list[float]:
        runs, similar = worlds(dict(zip(keys, (up, down), strict=True)), {"m": lambda _: table})
        row = predict(runs, similar).set_index("statistic").loc["over checkpoints"]
        return [row["low"], row["mean"], row["high"]]

    assert interval(("RT", 0), ("RT", 1)) == [-1, 0, 1]
    assert interval(("RT", 0), ("NFT", 0)) == [0, 0, 0]


def test_a_seed_is_drawn_for_all_labels_together() -> None:
    generator = np.random.default_rng(0)
    # What the runs of a seed share, such as their base model, cancels in their difference.
    shared, order = 9 * generator.normal(size=(3, 4, 5)), generator.normal(size=(4, 5))
    runs, similar = {}, {}
    for label, factor in (("A", 0.0), ("B", 1.0)):
        for seed in range(3):
            run_, distance = worlds(
                {(label, seed): shared[seed] + factor * order}, {"m": lambda _, f=factor: f * order}
            )
            runs |= run_
            similar |= distance
    row = predict(runs, similar).set_index("statistic").loc["between arrangements"]
    assert row[["low", "mean", "high"]].tolist() == pytest.approx([1, 1, 1])


def test_the_interval_is_seeded_and_widens_with_confidence() -> None:
    runs, similar = random_worlds()
    table = predict(runs, similar)
    pd.testing.assert_frame_equal(table, predict(runs, similar))
    assert (table["low"] != predict(runs, similar, seed=1)["low"]).all()
    narrow = predict(runs, similar, confidence=0.5)
    assert ((table["low"] < narrow["low"]) & (narrow["high"] < table["high"])).all()
    # Tasks are drawn even where there is one seed.
    single = predict(*random_worlds(labels="AB"))
    assert (single["low"] < single["high"]).all()


# Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tasks", "lacking"), [(5, "1 checkpoints after step 0"), (1, "1 unseen tasks")]
)
def test_what_cannot_be_correlated(tasks: int, lacking: str) -> None:
    runs, similar = random_worlds()
    runs["A", 0] = run({0: (1,) * tasks, 10: (1,) * tasks}, TASKS)
    with pytest.raises(InputError, match=f"{lacking} are in all runs; a correlation needs two"):
        predict(runs, similar)
