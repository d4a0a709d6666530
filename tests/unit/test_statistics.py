"""Curves, intervals and paired comparisons by hand and against SciPy."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nearfirst import plotting
from nearfirst.errors import InputError
from nearfirst.settings.figures import LookSettings
from nearfirst.statistics import (
    check_comparable,
    curves,
    mean_curve,
    mean_interval,
    paired_comparison,
    read_run,
)
from nearfirst.tables import LOSSES, write_table

Program = Callable[..., subprocess.CompletedProcess[str]]
Losses = Mapping[int, Sequence[float | None]]
Runs = dict[tuple[str, int], pd.DataFrame]


def run(losses: Losses, tokens: Sequence[int] = ()) -> pd.DataFrame:
    """Make a run of the losses of instances a, b, c, … at each step."""
    rows = [
        (step, chr(ord("a") + i), "task", loss, tokens[i] if tokens else 1)
        for step, per_instance in losses.items()
        for i, loss in enumerate(per_instance)
    ]
    return pd.DataFrame(rows, columns=LOSSES.names)


def save(frame: pd.DataFrame, path: Path, left_out: int = 0) -> Path:
    table = pa.Table.from_pandas(frame, schema=LOSSES, preserve_index=False)
    write_table(table, path, {"left_out": str(left_out)})
    return path


def write_runs(runs: Runs, folder: Path, left_out: int = 0) -> list[object]:
    """Write runs, each in two segments; returns the flags that name them."""
    flags: list[object] = []
    for (label, seed), frame in runs.items():
        late = frame["step"] > 10
        paths = [folder / f"{label}-{seed}-{part}.parquet" for part in (0, 1)]
        for path, rows in zip(paths, (frame[~late], frame[late]), strict=True):
            save(rows, path, left_out)
        flags += ["--run", label, seed, *paths]
    return flags


def noisy(labels: Mapping[str, float], seeds: int, instances: int = 30) -> Runs:
    """Make runs whose losses lie about a value for each label, at steps 0, 10 and 20."""
    generator = np.random.default_rng(1)
    return {
        (label, seed): run(
            {step: 3 + centre + generator.normal(size=instances) for step in (0, 10, 20)}
        )
        for label, centre in labels.items()
        for seed in range(seeds)
    }


# Means and intervals -------------------------------------------------------------------------


def test_mean_curve_by_hand() -> None:
    frame = run({10: (1, 4), 0: (2, 3)}, (1, 2))
    assert mean_curve(frame, "instance").to_dict() == {0: 2.5, 10: 2.5}
    assert mean_curve(frame, "token").to_dict() == pytest.approx({0: 8 / 3, 10: 3.0})


@given(
    st.lists(st.floats(0.1, 10), min_size=2, max_size=8),
    st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_mean_interval_is_students(values: list[float], confidence: float) -> None:
    found = mean_interval(np.array(values), confidence)
    error = stats.sem(values)
    expected = (np.mean(values),) * 2
    if error > 0:
        expected = stats.t.interval(confidence, len(values) - 1, np.mean(values), error)
    assert found == pytest.approx((np.mean(values), *expected), rel=1e-9, abs=1e-9)


def test_one_value_has_no_interval() -> None:
    mean, low, high = mean_interval(np.array([2.0]), 0.95)
    assert mean == 2.0
    assert np.isnan([low, high]).all()


def test_curves_by_hand() -> None:
    runs = {
        ("RT", 0): run({0: (1, 3), 10: (1, 1)}),
        ("NFT", 0): run({0: (0, 0), 10: (0, 2)}),
        ("RT", 7): run({0: (4, 4), 10: (1, 1)}),
    }
    table = curves(runs, "instance", 0.9)
    assert table.columns[:6].tolist() == ["arrangement", "step", "mean", "low", "high", "n"]
    # Arrangements come in the order given: it is the legend's.
    assert table[["arrangement", "step", "mean", "n"]].to_numpy().tolist() == [
        *(["RT", 0, 3.0, 2], ["RT", 10, 1.0, 2], ["NFT", 0, 0.0, 1], ["NFT", 10, 1.0, 1]),
    ]
    reach = stats.t.ppf(0.95, 1) * 1.0  # seeds 2 and 4: their mean has a standard error of 1
    assert table["low"][0] == pytest.approx(3.0 - reach)
    assert table["high"][0] == pytest.approx(3.0 + reach)
    assert table.loc[2:, ["low", "high"]].isna().to_numpy().all()
    assert set(table["instances"]) == {2}
    assert set(table["confidence"]) == {0.9}


@pytest.mark.parametrize(
    ("other", "step", "name"),
    [
        ({0: (1, 1)}, 10, "a"),
        ({0: (1, 1), 10: (1,)}, 10, "b"),
        ({0: (1, 1), 10: (1, 1, 1)}, 10, "c"),
        ({5: (1, 1), 10: (1, 1)}, 0, "a"),
    ],
)
def test_runs_of_different_steps_or_instances(other: Losses, step: int, name: str) -> None:
    runs = {("NFT", 0): run({0: (1, 1), 10: (1, 1)}), ("RT", 3): run(other)}
    wanted = rf"\('RT', 3\).*'{name}' at step {step}"
    for check in (
        check_comparable,
        lambda runs: curves(runs, "instance", 0.95),
        lambda runs: paired_comparison(runs, "NFT", 0.95, 100, 0),
    ):
        with pytest.raises(InputError, match=wanted):
            check(runs)


# Paired comparison ---------------------------------------------------------------------------


def test_paired_comparison_by_hand() -> None:
    runs = {
        ("RT", 0): run({0: (9, 9), 10: (3, 2), 20: (2, 2)}),
        ("RT", 1): run({0: (9, 9), 10: (3, 2), 20: (1, 1)}),
        # Rows in another order: pairs go by id, not by place.
        ("NFT", 1): run({0: (0, 9), 10: (1, 3), 20: (1, 2)}).iloc[::-1],
        ("NFT", 0): run({0: (5, 5), 10: (1, 2), 20: (0, 3)}),
    }
    table = paired_comparison(runs, "NFT", 0.95, 200, 0).set_index("steps")
    assert set(table["comparison"]) == {"NFT-RT"}
    # Differences (a, b) of seeds 0 and 1: step 10: (-2, 0), (-2, 1); step 20: (-2, 1), (0, 1).
    assert table.index.tolist() == ["10", "10-20", "20"]
    # Means over both steps: seed 0 (-2, 0.5), seed 1 (-1, 1); so -0.75 and 0.
    assert table["difference"].tolist() == [-0.75, -0.375, 0.0]
    assert table["instances_lower"].tolist() == [0.5, 0.5, 0.5]
    assert table["seeds_lower"].tolist() == [1.0, 0.5, 0.5]
    assert (table[["seeds", "instances"]] == 2).to_numpy().all()


def test_paired_comparison_against_wilcoxon() -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0, "FFT": 0.3}, seeds=3)
    table = paired_comparison(runs, "NFT", 0.95, 500, 0)
    assert table["comparison"].tolist() == ["NFT-RT"] * 3 + ["NFT-FFT"] * 3

    def means(label: str, step: int) -> Any:
        frames = [frame for (name, _), frame in runs.items() if name == label]
        rows = pd.concat(frames)
        return rows[rows["step"] == step].groupby("id")["loss"].mean()

    for other in ("RT", "FFT"):
        row = table[(table["comparison"] == f"NFT-{other}") & (table["steps"] == "20")].iloc[0]
        ours, theirs = means("NFT", 20), means(other, 20)
        assert row["p_value"] == pytest.approx(stats.wilcoxon(ours, theirs).pvalue)
        assert row["difference"] == pytest.approx((ours - theirs).mean())


def test_the_bootstrap_interval() -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=3)
    table = paired_comparison(runs, "NFT", 0.95, 500, 0)
    assert ((table["low"] < table["difference"]) & (table["difference"] < table["high"])).all()
    pd.testing.assert_frame_equal(table, paired_comparison(runs, "NFT", 0.95, 500, 0))
    other = paired_comparison(runs, "NFT", 0.95, 500, 1)
    assert (table["low"] != other["low"]).all()
    narrow = paired_comparison(runs, "NFT", 0.5, 500, 0)
    assert (table["low"] < narrow["low"]).all()
    assert (narrow["high"] < table["high"]).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for trial in range(200):
        generator = np.random.default_rng(trial)
        runs = {(label, 0): run({10: generator.normal(size=40)}) for label in ("NFT", "RT")}
        row = paired_comparison(runs, "NFT", 0.9, 200, 0).iloc[0]
        covered += row["low"] <= 0 <= row["high"]
    assert 165 <= covered <= 195


def test_equal_runs() -> None:
    one = noisy({"NFT": 0.0}, seeds=1)["NFT", 0]
    table = paired_comparison({("NFT", 0): one, ("RT", 0): one.copy()}, "NFT", 0.95, 100, 0)
    assert set(table["p_value"]) == {1.0}
    rest = table[["difference", "low", "high", "instances_lower", "seeds_lower"]]
    assert (rest == 0).to_numpy().all()


def test_a_comparison_needs_a_step_after_0_the_reference_and_pairs_of_seeds() -> None:
    start = run({0: (1,)})
    with pytest.raises(InputError, match="after step 0"):
        paired_comparison({("NFT", 0): start, ("RT", 0): start}, "NFT", 0.95, 100, 0)
    runs = noisy({"NFT": 0.0, "RT": 0.0}, seeds=2, instances=4)
    with pytest.raises(InputError, match="XYZ"):
        paired_comparison(runs, "XYZ", 0.95, 100, 0)
    del runs["RT", 1]
    with pytest.raises(InputError, match="RT"):
        paired_comparison(runs, "NFT", 0.95, 100, 0)


# Reading -------------------------------------------------------------------------------------


def test_read_run_joins_segments_and_knows_what_was_left_out(tmp_path: Path) -> None:
    segments = [
        save(run({0: (1,), 10: (0.5,)}), tmp_path / "0-10.parquet", left_out=3),
        save(run({20: (0.25,)}), tmp_path / "10-20.parquet", left_out=3),
    ]
    losses, left_out = read_run(segments)
    assert losses["step"].tolist() == [0, 10, 20]
    assert losses["loss"].tolist() == [1.0, 0.5, 0.25]
    assert left_out == 3


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_a_loss_that_is_no_number_names_its_file(tmp_path: Path, bad: float | None) -> None:
    first = save(run({0: (1,)}), tmp_path / "first.parquet")
    second = save(run({10: (1, bad)}), tmp_path / "second.parquet")
    with pytest.raises(InputError, match=r"second\.parquet: .*'b' at step 10"):
        read_run([first, second])


def test_a_step_that_stands_twice_names_its_file(tmp_path: Path) -> None:
    first = save(run({0: (1,), 10: (1,)}), tmp_path / "first.parquet")
    second = save(run({10: (1,)}), tmp_path / "second.parquet")
    with pytest.raises(InputError, match=r"second\.parquet: .*'a' stands twice at step 10"):
        read_run([first, second])


# Programs ------------------------------------------------------------------------------------


def test_from_losses_to_a_figure(program: Program, tmp_path: Path) -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=3)
    flags = write_runs(runs, tmp_path, left_out=4)
    done = program("curves.py", *flags, "--output", tmp_path / "curves.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "curves.csv")
    expected = curves(runs, "instance", 0.95)
    pd.testing.assert_frame_equal(table[expected.columns], expected, atol=1e-6)
    assert (tmp_path / "curves.csv").read_text().startswith("arrangement,step,mean,low,high,n,")
    assert set(table["left_out"]) == {4}

    done = program("compare.py", *flags, "--reference", "RT", "--output", tmp_path / "paired.csv")
    assert done.returncode == 0, done.stderr
    expected = paired_comparison(runs, "RT", 0.95, 2000, 0)
    # CSV keeps six digits, Parquet losses in float32.
    found = pd.read_csv(tmp_path / "paired.csv", dtype={"steps": "str"})
    pd.testing.assert_frame_equal(found, expected, rtol=1e-4, atol=1e-6, check_dtype=False)

    for name in ("one.pdf", "two.pdf"):
        done = program("plot.py", "--table", tmp_path / "curves.csv", "--output", tmp_path / name)
        assert done.returncode == 0, done.stderr
    content = (tmp_path / "one.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert content == (tmp_path / "two.pdf").read_bytes()


def bands(table: pd.DataFrame) -> list[int]:
    """Return the number of corners of every band in the figure of a table."""
    (axes,) = plotting.loss_curves(table, LookSettings()).axes
    assert [line.get_label() for line in axes.lines] == ["nearest first (NFT)", "random (RT)"]
    return [sum(len(p.vertices) for p in band.get_paths()) for band in axes.collections]


def test_one_seed_has_no_interval_and_no_band(program: Program, tmp_path: Path) -> None:
    labels = {"NFT": -0.5, "RT": 0.0}
    flags = write_runs(noisy(labels, seeds=1), tmp_path)
    assert program("curves.py", *flags, "--output", tmp_path / "curves.csv").returncode == 0
    table = pd.read_csv(tmp_path / "curves.csv")
    assert set(table["n"]) == {1}
    assert table[["low", "high"]].isna().to_numpy().all()
    assert bands(table) == [0, 0]
    assert min(bands(curves(noisy(labels, seeds=2), "instance", 0.95))) > 0
