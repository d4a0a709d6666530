"""Rank correlations of similarity with loss, and their bootstrap, against SciPy."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import Runs, run
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.prediction import STATISTICS, prediction
from nearfirst.figures.spearman import Ranks, correlations

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
            name: pd.DataFrame(of(table), steps, tasks) for name, of in distances.items()
        }
    return runs, similar


def found(runs: Runs, similar: Similarities, **changes: Any) -> pd.DataFrame:
    arguments: dict[str, Any] = {"confidence": 0.95, "resamples": 200, "seed": 0, **changes}
    tests = {"specialist-0": runs}, {"specialist-0": similar}
    return prediction(*tests, "instance", **arguments)


def means(table: pd.DataFrame) -> dict[str, list[float]]:
    return {str(name): part["mean"].tolist() for name, part in table.groupby("measure")}


def random_worlds(seed: int = 0, labels: str = "AAB") -> tuple[Runs, Similarities]:
    generator = np.random.default_rng(seed)
    keys = [(label, number) for number, label in enumerate(labels)]
    losses = {key: generator.normal(size=(6 + key[1], 5)) for key in keys}
    noise = lambda table: table + generator.normal(size=table.shape)  # noqa: E731
    return worlds(losses, {"noisy": noise, "coarse": lambda table: np.round(noise(table))})


# Correlations --------------------------------------------------------------------------------


def test_the_three_statistics_are_scipys() -> None:
    runs, similar = random_worlds()
    table = found(runs, similar)
    assert table.columns.tolist() == [
        *("measure", "statistic", "mean", "low", "high", "n", "runs", "checkpoints"),
        *("left_out", "confidence"),
    ]
    assert table["statistic"].tolist() == [*STATISTICS, *STATISTICS]
    pairs = [
        (runs[key].values.loc[10:].to_numpy(), {m: t.to_numpy() for m, t in similar[key].items()})
        for key in runs
    ]
    for measure in ("noisy", "coarse"):
        each = [(loss, distance[measure]) for loss, distance in pairs]
        pooled = stats.spearmanr(*(np.concatenate([p[i].ravel() for p in each]) for i in (0, 1)))
        along = [stats.spearmanr(a[:, t], b[:, t])[0] for a, b in each for t in range(5)]
        across = [stats.spearmanr(a[k], b[k])[0] for a, b in each for k in range(len(a))]
        expected = [pooled[0], np.nanmean(along), np.nanmean(across)]
        assert means(table)[measure] == pytest.approx(expected)
        lost = table[table["measure"] == measure]["left_out"].tolist()
        assert lost == [0, np.isnan(along).sum(), np.isnan(across).sum()]
    assert (table[["n", "runs", "checkpoints"]] == [5, 3, 8]).to_numpy().all()
    assert ((table["low"] < table["mean"]) & (table["mean"] < table["high"])).all()


def test_a_perfect_measure_and_one_that_never_changes() -> None:
    generator = np.random.default_rng(0)
    losses = {("RT", seed): generator.normal(size=(4, 3)) for seed in range(2)}
    measures: dict[str, Callable[[Floats], Floats]] = {
        "same": np.exp,
        "turned": lambda table: -table,
        "constant": np.zeros_like,
    }
    table = found(*worlds(losses, measures)).set_index(["measure", "statistic"])
    for measure, value in (("same", 1), ("turned", -1)):
        bounds = table.loc[measure, ["mean", "low", "high"]].to_numpy(dtype=float)
        assert bounds == pytest.approx(np.full((3, 3), value))
    # 2 runs of 3 tasks and 4 checkpoints: series along 6 runs of tasks, across 8 checkpoints.
    assert table.loc["constant", ["mean", "low", "high"]].isna().to_numpy().all()
    assert table.loc["constant", "left_out"].tolist() == [0, 6, 8]
    assert set(table.loc["same", "left_out"]) == {0}


def test_only_tasks_of_all_runs_count() -> None:
    runs, similar = random_worlds()
    less = run({0: (1,) * 4} | {step: range(4) for step in (10, 20)}, TASKS[:4])
    steps = [10, 20]
    similar["B", 9] = {
        name: pd.DataFrame(np.arange(10).reshape(2, 5), steps, TASKS) for name in similar["A", 0]
    }
    assert set(found(runs | {("B", 9): less}, similar)["n"]) == {4}


# Bootstrap -----------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.floats(-2, 2).map(lambda x: round(x, 1)), st.integers(0, 3)
        ),
        min_size=1,
        max_size=12,
    )
)
def test_weighted_ranks_are_those_of_repeated_points(
    points: list[tuple[int, float, int]],
) -> None:
    one, other, weights = (np.array(column) for column in zip(*points, strict=True))
    pair = [Ranks(values[None].astype(float)) for values in (one, other)]
    # The same series twice: neither touches the other.
    both = [Ranks(np.stack([values, -values]).astype(float)) for values in (one, other)]
    counts = weights[None].astype(np.int32)
    found = correlations(pair[0], [pair[1]], counts)
    twice = correlations(both[0], [both[1]], np.concatenate([counts, counts]))
    repeated = [np.repeat(values, weights) for values in (one, other)]
    defined = all(len(np.unique(values)) > 1 for values in repeated)
    expected = stats.spearmanr(*repeated)[0] if defined else np.nan
    assert found[0, 0] == pytest.approx(expected, nan_ok=True)
    assert twice[0] == pytest.approx([expected] * 2, nan_ok=True)
    centred = pair[0].centred(counts)[0]
    assert np.repeat(centred, weights) == pytest.approx(
        2 * stats.rankdata(repeated[0]) - len(repeated[0]) - 1
    )


def test_seeds_are_drawn_within_their_label() -> None:
    table = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    # The loss of one run rises with the distance, that of the other falls: on average nothing.
    up, down = table, table[::-1]

    def interval(*keys: tuple[str, int]) -> list[float]:
        runs, similar = worlds(dict(zip(keys, (up, down), strict=True)), {"m": lambda _: table})
        row = found(runs, similar).set_index("statistic").loc["over checkpoints"]
        return [row["low"], row["mean"], row["high"]]

    assert interval(("RT", 0), ("RT", 1)) == [-1, 0, 1]
    assert interval(("RT", 0), ("NFT", 0)) == [0, 0, 0]


def test_a_seed_is_drawn_with_all_its_test_sets() -> None:
    table = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    keys = [("RT", 0), ("RT", 1)]
    one = worlds(dict(zip(keys, (table, table[::-1]), strict=True)), {"m": lambda _: table})
    # On the second test set the seeds change roles, so that each draw cancels.
    two = worlds(dict(zip(keys, (table[::-1], table), strict=True)), {"m": lambda _: table})
    tests = {"specialist-0": one[0], "specialist-1": two[0]}
    similar = {"specialist-0": one[1], "specialist-1": two[1]}
    rows = prediction(tests, similar, "instance", 0.95, 200, 0).set_index("statistic")
    assert rows.loc["over checkpoints", ["low", "mean", "high"]].tolist() == [0, 0, 0]
    assert set(rows["runs"]) == {4}


def test_the_interval_is_seeded_and_widens_with_confidence() -> None:
    runs, similar = random_worlds()
    table = found(runs, similar)
    pd.testing.assert_frame_equal(table, found(runs, similar))
    assert (table["low"] != found(runs, similar, seed=1)["low"]).all()
    narrow = found(runs, similar, confidence=0.5)
    assert ((table["low"] < narrow["low"]) & (narrow["high"] < table["high"])).all()


# Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda runs, similar: similar.pop(("A", 1)), "A, seed 1, specialist-0: the similarity"),
        (
            lambda runs, similar: similar.update({("A", 1): similar["A", 0]}),
            "A, seed 1, specialist-0: only one of losses and similarity has step 70",
        ),
        (
            lambda runs, similar: runs.update({("A", 0): run({0: (1,) * 5, 10: (1,) * 5}, TASKS)}),
            "A, seed 0, specialist-0: a correlation needs two checkpoints .* the run has 1",
        ),
        (
            lambda runs, similar: runs.update({("A", 0): run({0: (1,), 10: (1,)}, TASKS)}),
            "1 unseen tasks are in all runs; a correlation needs two",
        ),
    ],
)
def test_what_cannot_be_correlated(edit: Callable[..., Any], message: str) -> None:
    runs, similar = random_worlds()
    edit(runs, similar)
    with pytest.raises(InputError, match=message):
        found(runs, similar)
