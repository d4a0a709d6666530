"""Intervals and tests over seeds and units: against SciPy, by hand, and by simulation."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from nearfirst.figures.comparison import inference
from nearfirst.figures.comparison.inference import Estimates, Sample, estimates, max_t, questions

Floats = npt.NDArray[np.float64]
SIMULATION = runpy.run_path(str(Path(__file__).parents[4] / "benchmarks/inference.py"))


def sample(units: int, sizes: Any = None, strata: Any = None) -> Sample:
    """Make a sample whose units are single instances, or have the given sizes."""
    unit = np.repeat(np.arange(units), 1 if sizes is None else sizes)
    stratum = np.zeros(units, dtype=int) if strata is None else np.asarray(strata)
    return Sample(unit, stratum, np.full(len(unit), 1 / len(unit)))


def drawn(*shape: int, seed: int = 0) -> Floats:
    """Draw (rows, seeds, units) differences with effects of seeds and of units."""
    generator = np.random.default_rng(seed)
    rows, seeds, units = shape
    return (
        0.1 * generator.normal(size=(rows, seeds, 1))
        + 0.4 * generator.normal(size=(rows, 1, units))
        + 0.3 * generator.normal(size=shape)
    )


def estimated(values: Any, of: Sample | None = None, confidence: float = 0.95) -> Estimates:
    values = np.asarray(values, dtype=float)
    return estimates(values, of or sample(values.shape[-1]), confidence, pooled=0.0)


# Intervals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_several_seeds_are_welchs_test_of_both_standard_errors(seeds: int) -> None:
    values = 0.3 + drawn(1, seeds, 30, seed=seeds)
    over_seeds, over_units = values[0].mean(axis=1), values[0].mean(axis=0)
    # Welch's test adds two squared standard errors, and takes the same degrees of freedom.
    p_value = stats.ttest_ind_from_stats(
        *(over_units.mean(), over_units.std(ddof=1), 30),
        *(0.0, over_seeds.std(ddof=1), seeds),
        equal_var=False,
    ).pvalue
    # Its interval at this level ends at zero.
    one = estimated(values, confidence=1 - p_value)
    assert np.minimum(np.abs(one.low), np.abs(one.high)) == pytest.approx([0])
    # A t of the same p-value over units alone.
    t = one.discount * stats.ttest_1samp(over_units, 0).statistic
    assert 2 * stats.t.sf(np.abs(t), 29) == pytest.approx([p_value])


def test_units_of_unequal_sizes_are_a_ratio_of_sums() -> None:
    sizes = np.array([1, 9, 2, 1, 5])
    values = 0.2 + np.random.default_rng(1).normal(size=sizes.sum())
    means = np.array([part.mean() for part in np.split(values, sizes.cumsum()[:-1])])
    residuals = sizes * (means - values.mean()) / sizes.sum()
    error = np.sqrt(5 / 4 * (residuals**2).sum())
    one = estimated(values[None, None], sample(5, sizes))
    assert one.mean == pytest.approx(values.mean())
    assert one.high - one.mean == pytest.approx(stats.t.ppf(0.975, 4) * error)
    assert one.units_lower == pytest.approx((means < 0).mean())


def test_strata_are_no_sample() -> None:
    strata = np.repeat([0, 1, 2], [4, 2, 3])
    values = np.random.default_rng(2).normal(size=9)
    within = sum((strata == h).sum() * values[strata == h].var(ddof=1) / 81 for h in range(3))
    for shift in (0.0, 100.0):
        one = estimated([[values + shift * strata]], sample(9, strata=strata))
        assert one.high - one.mean == pytest.approx(stats.t.ppf(0.975, 6) * np.sqrt(within))
    # A stratum of one unit has the variance of an average unit.
    more = estimated([[[*values, 5.0]]], sample(10, strata=[*strata, 3]))
    error = np.sqrt(within * 81 / 100 * 10 / 9)
    assert more.high - more.mean == pytest.approx(stats.t.ppf(0.975, 6) * error)


def test_the_variance_over_seeds_is_pooled() -> None:
    values = 0.3 + drawn(3, 3, 30)
    # At one checkpoint the seeds agree by chance.
    values[1] += values[1].mean() - values[1].mean(axis=1, keepdims=True)
    together = questions([values.swapaxes(0, 1)], sample(30), 0.95, 100, 0)["checkpoint"][0]
    wider = (together.high - together.low) / (estimated(values).high - estimated(values).low)
    assert wider[1] > 1.05
    assert (wider >= 1 - 1e-9).all()
    # A comparison of single runs says nothing of seeds.
    cubes = [values.swapaxes(0, 1), drawn(1, 1, 30).swapaxes(0, 1)]
    with_single = questions(cubes, sample(30), 0.95, 100, 0)["checkpoint"][0]
    assert with_single.high[:3] == pytest.approx(together.high)
    # Over the run, the variances of comparisons are pooled.
    agreeing, other = values[[1]].swapaxes(0, 1), values[[0]].swapaxes(0, 1)
    alone, pair = (
        questions(each, sample(30), 0.95, 100, 0)["run"][0]
        for each in ([agreeing], [agreeing, other])
    )
    assert pair.high[0] > alone.high[0] + 1e-3


def test_seeds_never_raise_the_t_of_units() -> None:
    # Seeds nearly agree, so the degrees of freedom are more than the four of units alone.
    units, seeds = np.array([2.7, 2.9, 3.0, 3.1, 3.3]), np.array([[-0.05], [0.0], [0.05]])
    assert estimated([units + seeds]).discount.tolist() == [1]


# Tests ---------------------------------------------------------------------------------------


def test_strata_that_differ_do_not_hide_a_difference() -> None:
    within = np.array([0.2, 0.3, 0.4, 0.3])
    values, strata = [*(10 + within), *(within - 10)], np.repeat([0, 1], 4)
    one = estimated([[values]], sample(8, strata=strata))
    # All residuals, with the mean of 0.3, are positive: two of 2^8 flips are as extreme.
    assert max_t(one, 1000, 0) == pytest.approx([1 / 128])


def test_units_without_a_difference_are_not_lower() -> None:
    one = estimated([[[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]])
    assert (one.units_lower.tolist(), one.seeds_lower.tolist()) == ([1 / 3], [0.5])


def test_random_flips_are_near_all_flips_and_seeded() -> None:
    one = estimated(0.2 + drawn(3, 2, 12))
    every, some = max_t(one, 2**11, 0), max_t(one, 2000, 0)
    # Twelve units have no more flips than these, up to a common sign.
    assert (every == max_t(one, 2**11, 1)).all()
    assert some == pytest.approx(every, abs=0.04)
    assert (some == max_t(one, 2000, 0)).all()
    assert (some != max_t(one, 2000, 1)).any()


def test_rows_that_are_alike_cost_nothing() -> None:
    values = 0.3 + drawn(1, 1, 10)
    single = max_t(estimated(values), 1000, 0)
    # Nor does the unit of measure matter.
    assert max_t(estimated(-1e-9 * values), 1000, 0) == pytest.approx(single)
    assert max_t(estimated(np.repeat(values, 20, axis=0)), 1000, 0) == pytest.approx(
        single.repeat(20)
    )
    others = np.concatenate([values, drawn(20, 1, 10, seed=3)])
    assert max_t(estimated(others), 1000, 0)[0] > 2 * single[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0, 0]], 1.0),
        # No variance: all flips but the two of equal signs give less.
        ([[1.0, 1, 1]], 0.25),
        ([[1.0, 1, 1], [1, 1, 1]], 0.25),
        ([[1.0]], 1.0),
        ([[1.0], [1.1], [0.9]], 1.0),
        ([[-1.0, 1.0]], 1.0),
    ],
)
def test_values_without_variance_and_few_units(values: list[list[float]], expected: float) -> None:
    assert max_t(estimated([values]), 1000, 0) == pytest.approx([expected])


# Simulation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("units", ["task", "instance"])
def test_intervals_cover_and_a_null_gives_few_false_positives(units: str) -> None:
    effects = SIMULATION["Effects"](0.35, 0.2, 0.03, 0.1, 0.1, 0.9)
    sizes = {"seeds": 3, "tasks": 24, "instances": 3, "experiments": 300, "flips": 199, "base": 1}
    rates = SIMULATION["simulate"](effects, **sizes, units=units)
    assert min(rates.run_covered, rates.end_covered) >= 0.93
    assert max(rates[2:]) <= 0.05


# Large test sets ------------------------------------------------------------------------------


def test_a_million_conversations_as_units() -> None:
    """A matrix of instances by units would take terabytes."""
    size = 1_000_000
    values = np.random.default_rng(0).normal(0.1, 1, size=(2, 1, size))
    result = estimated(values)
    margin = stats.t.ppf(0.975, size - 1) * values[:, 0].std(axis=1, ddof=1) / np.sqrt(size)
    assert result.high - result.mean == pytest.approx(margin)
    np.testing.assert_allclose(result.contributions, values[:, 0])


def test_signs_are_the_same_in_any_number_of_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = estimated(0.1 + drawn(5, 3, 40))
    expected = max_t(tested, 500, 1)
    monkeypatch.setattr(inference, "SIGNS", 40 * 64 + 1)
    assert max_t(tested, 500, 1).tolist() == expected.tolist()
