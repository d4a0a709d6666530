"""The test and the interval over seeds and test instances, against SciPy and by simulation."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nearfirst.figures.comparison.crossed import CrossedBootstrap, crossed_p_values
from nearfirst.figures.comparison.holm import holm

Floats = npt.NDArray[np.float64]


def drawn(
    generator: np.random.Generator,
    shape: tuple[int, int, int],
    of_seeds: float = 0.1,
    of_units: float = 0.4,
    residual: float = 0.3,
) -> Floats:
    """Differences of mean zero: each seed and each unit has a share of its own."""
    checkpoints, seeds, units = shape
    return (
        of_seeds * generator.normal(size=(checkpoints, seeds, 1))
        + of_units * generator.normal(size=(checkpoints, 1, units))
        + residual * generator.normal(size=shape)
    )


# The test ------------------------------------------------------------------------------------


def test_one_seed_is_students_test_over_units() -> None:
    values = 0.2 + drawn(np.random.default_rng(0), (4, 1, 30))
    expected = stats.ttest_1samp(values[:, 0], 0, axis=1).pvalue
    assert crossed_p_values(values) == pytest.approx(expected)


@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_several_seeds_are_welchs_test_of_both_standard_errors(seeds: int) -> None:
    values = 0.2 + drawn(np.random.default_rng(seeds), (1, seeds, 30))
    over_seeds, over_units = values[0].mean(axis=1), values[0].mean(axis=0)
    # Welch's test adds two squared standard errors, and takes the same degrees of freedom.
    expected = stats.ttest_ind_from_stats(
        *(over_units.mean(), over_units.std(ddof=1), 30),
        *(0.0, over_seeds.std(ddof=1), seeds),
        equal_var=False,
    ).pvalue
    assert crossed_p_values(values) == pytest.approx([expected])


def test_the_variance_over_seeds_is_at_least_its_mean_over_checkpoints() -> None:
    values = 0.3 + drawn(np.random.default_rng(0), (3, 3, 30))
    values[1] += values[1].mean() - values[1].mean(axis=1, keepdims=True)
    together, alone = (
        crossed_p_values(values),
        np.ravel([crossed_p_values(v[None]) for v in values]),
    )
    assert together[1] > 2 * alone[1]
    assert (together >= alone).all()
    # Where seeds vary most, their own variance counts.
    most = values.mean(axis=2).var(axis=1).argmax()
    assert together[most] == pytest.approx(alone[most])


def test_weights_are_those_of_a_ratio_of_sums() -> None:
    values = 0.2 + drawn(np.random.default_rng(1), (2, 3, 8))
    equal = crossed_p_values(values, np.full(8, 5))
    assert equal == pytest.approx(crossed_p_values(values))
    sizes = np.array([1, 9, 2, 1, 5, 1, 1, 3])
    # By hand: linearised residuals of sum(size * value) / sum(size).
    one = values[0].mean(axis=0)
    mean = (sizes * one).sum() / sizes.sum()
    of_units = 8 / 7 * ((sizes * (one - mean)) ** 2).sum() / sizes.sum() ** 2
    single = values[:1].mean(axis=1, keepdims=True)
    expected = 2 * stats.t.sf(abs(mean) / np.sqrt(of_units), 7)
    assert crossed_p_values(single, sizes) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0, 0]], 1.0),
        # No variance: the smallest p-value that flipping the signs of 3 units can give.
        ([[1.0, 1, 1]], 0.25),
        ([[1.0, 1, 1], [1, 1, 1]], 0.25),
        ([[1.0, 1, 1, 1.001]], 0.125),
        ([[1.0]], 1.0),
        ([[1.0], [1.1], [0.9]], 1.0),
        ([[-1.0, 1.0]], 1.0),
    ],
)
def test_values_without_variance_and_few_units(values: list[list[float]], expected: float) -> None:
    assert crossed_p_values(np.array([values])) == pytest.approx([expected])


@given(st.integers(0, 1000), st.integers(1, 4), st.floats(1e-6, 1e6))
def test_neither_sign_nor_units_of_measure_nor_order_matter(
    trial: int, seeds: int, factor: float
) -> None:
    generator = np.random.default_rng(trial)
    values = 0.1 + drawn(generator, (2, seeds, 6))
    found = crossed_p_values(values)
    assert ((found >= 0) & (found <= 1)).all()
    mixed = values[:, generator.permutation(seeds)][..., generator.permutation(6)]
    assert crossed_p_values(-factor * mixed) == pytest.approx(found)


@pytest.mark.parametrize(("seeds", "of_seeds"), [(1, 0.0), (2, 0.03), (3, 0.1), (3, 0.3), (5, 0.1)])
def test_a_figure_without_a_difference_rarely_shows_one(seeds: int, of_seeds: float) -> None:
    generator = np.random.default_rng(0)
    wrong = 0
    for _ in range(200):
        # Checkpoints follow one another, and comparisons share their reference.
        arms = [drawn(generator, (8, seeds, 40), of_seeds).cumsum(axis=0) for _ in range(3)]
        raw = [crossed_p_values(arms[0] - other) for other in arms[1:]]
        wrong += bool((holm(np.concatenate(raw)) <= 0.05).any())
    assert wrong <= 10


# The interval --------------------------------------------------------------------------------


def interval(values: Floats, resamples: int = 2000) -> Sequence[float]:
    return CrossedBootstrap(0.9, resamples, 0, np.ones(values.shape[1], int)).interval(values)


def test_the_interval_over_units_is_scipys() -> None:
    values = 0.2 + drawn(np.random.default_rng(0), (1, 1, 60))[0]
    expected = stats.bootstrap(
        (values[0],), np.mean, confidence_level=0.9, n_resamples=20000, method="percentile", rng=0
    ).confidence_interval
    assert interval(values, resamples=20000) == pytest.approx(tuple(expected), abs=0.01)


def test_seeds_widen_the_interval() -> None:
    values = drawn(np.random.default_rng(0), (1, 3, 60), of_seeds=0.5)[0]
    alone = np.ptp(interval(values.mean(axis=0, keepdims=True)))
    assert np.ptp(interval(values)) > 1.5 * alone
