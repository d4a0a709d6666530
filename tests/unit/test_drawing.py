"""Draws of tokens against the distribution that transformers samples from."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from nearfirst.drawing import draw, uniforms
from nearfirst.settings.generation import GenerateSettings

ROWS = np.random.default_rng(0).normal(0, 1.5, (6, 40)).astype(np.float32)


@pytest.mark.parametrize(
    ("temperature", "top_p"), [(0.9, 0.9), (2.0, 0.3), (0.5, 1.0), (5.0, 0.99)]
)
def test_draws_have_the_distribution_of_transformers(temperature: float, top_p: float) -> None:
    knobs = GenerateSettings(temperature=temperature, top_p=top_p)
    warpers = LogitsProcessorList([TemperatureLogitsWarper(temperature), TopPLogitsWarper(top_p)])
    expected = torch.softmax(warpers(None, torch.from_numpy(ROWS)).double(), -1).numpy()
    count = 10_000
    for row, shares in zip(ROWS, expected, strict=True):
        rows = np.broadcast_to(row, (count, len(row)))
        # Equal steps from 0 to 1 hit each token by its share, to one step at either end.
        found = np.bincount(draw(rows, np.arange(count) / count, knobs), minlength=40)
        np.testing.assert_allclose(found / count, shares, rtol=0, atol=1.001 / count)
        assert ((found > 0) <= (shares > 0)).all()
    numbers = np.array([uniforms(0, 0, i, "a", 3)[1] for i in range(2000)])
    found = np.bincount(draw(rows[:2000], numbers, knobs), minlength=40)[shares > 0]
    assert chisquare(found, 2000 * shares[shares > 0]).pvalue > 1e-3


def test_the_ends_of_a_draw() -> None:
    rows = np.array([[-20.0, 2, 2, 2, 1.9, -20]] * 2, dtype=np.float32)
    ends = np.array([0, 1 - 2**-53])
    assert draw(rows, ends, GenerateSettings(top_p=1)).tolist() == [0, 5]
    # Tokens as likely as the last one that top-p needs are all kept.
    assert draw(rows, ends, GenerateSettings(top_p=0.1)).tolist() == [1, 3]
    assert draw(rows, ends, GenerateSettings(top_p=0.9)).tolist() == [1, 4]


def test_numbers_do_not_depend_on_how_many_are_drawn() -> None:
    long = uniforms(0, 1, 2, "猫", 100)
    assert uniforms(0, 1, 2, "猫", 7).tolist() == long[:7].tolist()
    assert ((long >= 0) & (long < 1)).all()
    # Parts of a name that run into one another are still two names.
    assert uniforms(0, 1, 23, "4", 1) != uniforms(0, 12, 3, "4", 1)
