"""Sampled tokens against the distribution that transformers samples from."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from nearfirst.generate.sampling import sample_tokens, uniforms
from nearfirst.generate.settings import GenerateSettings


def logits(vocabulary: int, spread: float) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, spread, vocabulary).astype(np.float32)


def shares_of(row: npt.NDArray[np.float32], settings: GenerateSettings) -> npt.NDArray[np.float64]:
    """The shares that transformers' own sampling gives to tokens."""
    warpers = LogitsProcessorList(
        [TemperatureLogitsWarper(settings.temperature), TopPLogitsWarper(settings.top_p)]
    )
    scores = warpers(None, torch.from_numpy(row)[None])[0]
    shares: npt.NDArray[np.float64] = torch.softmax(scores.double(), -1).numpy()
    return shares


@pytest.mark.parametrize(("vocabulary", "spread"), [(40, 1.5), (40, 0.1), (900, 4.0)])
@pytest.mark.parametrize(
    ("temperature", "top_p"), [(0.9, 0.9), (2.0, 0.3), (0.5, 1.0), (5.0, 0.99)]
)
def test_tokens_have_the_distribution_of_transformers(
    vocabulary: int, spread: float, temperature: float, top_p: float
) -> None:
    settings = GenerateSettings(temperature=temperature, top_p=top_p)
    row = logits(vocabulary, spread)
    shares = shares_of(row, settings)
    # Equal steps from 0 to 1 hit each token by its share, to one step at either end.
    count = 10_000
    rows = np.broadcast_to(row, (count, vocabulary))
    tokens = sample_tokens(rows, np.arange(count) / count, settings)
    counts = np.bincount(tokens, minlength=vocabulary)
    np.testing.assert_allclose(counts / count, shares, rtol=0, atol=1.001 / count)
    assert ((counts > 0) <= (shares > 0)).all()


def test_extreme_numbers_select_the_first_and_last_kept_token() -> None:
    rows = np.array([[-20.0, 2, 2, 2, 1.9, -20]] * 2, dtype=np.float32)
    ends = np.array([0, 1 - 2**-53])
    assert sample_tokens(rows, ends, GenerateSettings(top_p=1)).tolist() == [0, 5]
    # All tokens as likely as the last one that top-p needs are kept.
    assert sample_tokens(rows, ends, GenerateSettings(top_p=0.1)).tolist() == [1, 3]
    assert sample_tokens(rows, ends, GenerateSettings(top_p=0.9)).tolist() == [1, 4]
    # A top-p below every token keeps the most likely ones.
    assert sample_tokens(rows, ends, GenerateSettings(top_p=1e-18)).tolist() == [1, 3]


def test_numbers_do_not_depend_on_how_many_are_needed() -> None:
    long = uniforms(0, 1, 2, "猫", 100)
    assert uniforms(0, 1, 2, "猫", 7).tolist() == long[:7].tolist()
    assert ((long >= 0) & (long < 1)).all()
    # Neighbouring parts of a seed do not run together.
    assert uniforms(0, 1, 23, "4", 1) != uniforms(0, 12, 3, "4", 1)
