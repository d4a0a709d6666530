"""Draws of tokens against the distribution that transformers samples from."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.stats import chisquare
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from nearfirst.generate.sampling import draw, uniforms
from nearfirst.generate.settings import GenerateSettings


def logits(vocabulary: int, spread: float) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, spread, vocabulary).astype(np.float32)


def sampled_from(row: npt.NDArray[np.float32], knobs: GenerateSettings) -> npt.NDArray[np.float64]:
    """The shares that transformers' own sampling gives to tokens."""
    warpers = LogitsProcessorList(
        [TemperatureLogitsWarper(knobs.temperature), TopPLogitsWarper(knobs.top_p)]
    )
    scores = warpers(None, torch.from_numpy(row)[None])[0]
    shares: npt.NDArray[np.float64] = torch.softmax(scores.double(), -1).numpy()
    return shares


def counted(
    row: npt.NDArray[np.float32], numbers: npt.NDArray[np.float64], knobs: GenerateSettings
) -> npt.NDArray[np.int64]:
    """How often each token is drawn."""
    rows = np.broadcast_to(row, (len(numbers), len(row)))
    return np.bincount(draw(rows, numbers, knobs), minlength=len(row))


@pytest.mark.parametrize(("vocabulary", "spread"), [(40, 1.5), (40, 0.1), (900, 4.0)])
@pytest.mark.parametrize(
    ("temperature", "top_p"), [(0.9, 0.9), (2.0, 0.3), (0.5, 1.0), (5.0, 0.99)]
)
def test_draws_have_the_distribution_of_transformers(
    vocabulary: int, spread: float, temperature: float, top_p: float
) -> None:
    knobs = GenerateSettings(temperature=temperature, top_p=top_p)
    row = logits(vocabulary, spread)
    shares = sampled_from(row, knobs)
    # Equal steps from 0 to 1 hit each token by its share, to one step at either end.
    count = 10_000
    found = counted(row, np.arange(count) / count, knobs)
    np.testing.assert_allclose(found / count, shares, rtol=0, atol=1.001 / count)
    assert ((found > 0) <= (shares > 0)).all()


def test_draws_of_many_checkpoints_have_that_distribution_too() -> None:
    knobs = GenerateSettings()
    row = logits(40, 1.5)
    shares = sampled_from(row, knobs)
    numbers = np.array([uniforms(0, 0, step, "a", 3)[1] for step in range(2000)])
    found = counted(row, numbers, knobs)
    kept = shares > 0
    assert 10 < kept.sum() < 40
    assert found[~kept].sum() == 0
    assert chisquare(found[kept], 2000 * shares[kept]).pvalue > 1e-3


def test_rows_are_drawn_each_by_itself() -> None:
    rows = np.stack([logits(40, spread) for spread in (0.1, 1.5, 4.0)])
    numbers = np.array([0.2, 0.5, 0.7])
    knobs = GenerateSettings()
    alone = [int(draw(rows[[i]], numbers[[i]], knobs)[0]) for i in range(3)]
    assert draw(rows, numbers, knobs).tolist() == alone
    assert len(set(alone)) > 1


def test_the_ends_of_a_draw() -> None:
    rows = np.array([[-20.0, 2, 2, 2, 1.9, -20]] * 2, dtype=np.float32)
    ends = np.array([0, 1 - 2**-53])
    assert draw(rows, ends, GenerateSettings(top_p=1)).tolist() == [0, 5]
    # Tokens as likely as the last one that top-p needs are all kept.
    assert draw(rows, ends, GenerateSettings(top_p=0.1)).tolist() == [1, 3]
    assert draw(rows, ends, GenerateSettings(top_p=0.9)).tolist() == [1, 4]
    # A top-p that no token is below keeps the likeliest.
    assert draw(rows, ends, GenerateSettings(top_p=1e-18)).tolist() == [1, 3]


def test_numbers_do_not_depend_on_how_many_are_drawn() -> None:
    long = uniforms(0, 1, 2, "猫", 100)
    assert uniforms(0, 1, 2, "猫", 7).tolist() == long[:7].tolist()
    assert ((long >= 0) & (long < 1)).all()
    # Parts of a name that run into one another are still two names.
    assert uniforms(0, 1, 23, "4", 1) != uniforms(0, 12, 3, "4", 1)
