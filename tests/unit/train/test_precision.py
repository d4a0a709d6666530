"""A small learning rate moves float32 weights, but not bfloat16 weights.

bfloat16 keeps 8 significant bits: between 2^k and 2^(k+1) its numbers are 2^(k-7) apart, and an
update below half of that is lost. Adam moves a weight by at most the rate, so at 1e-6 only weights
below about 2^-11 can move: 2 % of weights with LLaMA's standard deviation of 0.02.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from files import contents
from training import Weights, train, weights
from transformers import AutoModelForCausalLM

from nearfirst.model import precision
from nearfirst.model.loss import mean_losses
from nearfirst.model.template import Tokens, encode
from nearfirst.train.settings import TrainSettings

STEPS = 20
RATE = 1e-6
RUN = TrainSettings(learning_rate=RATE, checkpoint_every=STEPS)
Run = tuple[Weights, Weights]
"""Weights before and after."""


@pytest.fixture(scope="module")
def tokens(some_talks: Any, tokenizer: Any) -> list[Tokens]:
    return encode(some_talks(16 * STEPS), tokenizer, 100)


def trained(
    model_folder: Path,
    tokens: list[Tokens],
    work: Path,
    dtype: torch.dtype = torch.float32,
    settings: TrainSettings = RUN,
) -> Run:
    checkpoints, _ = train(model_folder, tokens, settings, work, dtype=dtype)
    return weights(checkpoints, 0), weights(checkpoints, STEPS)


def moved(run: Run) -> torch.Tensor:
    return torch.cat([(run[0][name] != run[1][name]).flatten() for name in run[0]])


def fall(model_folder: Path, run: Run, tokens: list[Tokens]) -> float:
    """By how much the mean loss falls, computed in float64 for weights of any dtype."""
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float64)
    losses = []
    for state in run:
        model.load_state_dict(state, strict=False)
        with torch.no_grad():
            losses.append(mean_losses(model, tokens).mean())
    return float(losses[0] - losses[1])


@pytest.fixture(scope="module")
def exact(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, tokens: list[Tokens]
) -> Run:
    return trained(model_folder, tokens, tmp_path_factory.mktemp("float32"))


def test_bfloat16_weights_stand_still_where_float32_weights_learn(
    tmp_path: Path, model_folder: Path, tokens: list[Tokens], exact: Run
) -> None:
    coarse = trained(model_folder, tokens, tmp_path, torch.bfloat16)
    matrices = torch.cat([w.flatten() for w in exact[0].values() if w.ndim > 1])
    assert float(matrices.std()) == pytest.approx(0.02, rel=0.05)  # the scale of LLaMA's

    # In float32, every weight moves, by up to the sum of the rates, about 1e-5 here.
    assert bool(moved(exact).all())
    # In bfloat16, only weights near 0 move. Below a power of two, half the distance is enough.
    start = torch.cat([w.flatten() for w in coarse[0].values()])
    assert torch.equal(start, start.bfloat16().float())
    exponent = torch.frexp(start * (1 - 2**-9)).exponent - 1
    can_move = 2.0 ** (exponent - 8) <= 1.1 * RATE  # the first steps may be a little longer
    assert not bool((moved(coarse) & ~can_move).any())
    assert float(can_move.float().mean()) == pytest.approx(0.02, abs=0.01)

    # So the training loss falls by far more than rounding, or hardly at all.
    falls = [fall(model_folder, run, tokens[:32]) for run in (exact, coarse)]
    assert falls[0] > 1e-4
    assert abs(falls[1]) < 0.05 * falls[0]


def test_float32_weights_learn_by_bfloat16_arithmetic(
    tmp_path: Path, model_folder: Path, tokens: list[Tokens], exact: Run
) -> None:
    settings = RUN.model_copy(update={"precision": "bfloat16"})
    mixed = trained(model_folder, tokens, tmp_path, settings=settings)
    assert {weight.dtype for weight in mixed[1].values()} == {torch.float32}
    assert float(moved(mixed).float().mean()) > 0.99  # a rounded gradient may be zero
    # The gradients are rounded, so the numbers differ; what is learned is the same.
    assert any(not torch.equal(mixed[1][name], exact[1][name]) for name in exact[1])
    falls = [fall(model_folder, run, tokens[:32]) for run in (exact, mixed)]
    assert falls[1] == pytest.approx(falls[0], rel=0.05)


def test_attention_of_bfloat16_training_is_computed_in_float32_without_amx(
    tmp_path: Path, model_folder: Path, tokens: list[Tokens], monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, seen = precision.sdpa_attention_forward, set()

    def spy(module: Any, query: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        seen.add(query.dtype)
        output = forward(module, query, *args, **kwargs)
        seen.add(output[0].dtype)
        return output

    monkeypatch.setattr(precision, "sdpa_attention_forward", spy)
    settings = RUN.model_copy(update={"precision": "bfloat16"})
    for amx in (True, False):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=amx: {"amx_bf16": has})
        assert seen == set()
        trained(model_folder, tokens, tmp_path / f"{amx}", settings=settings)
        # The checkpoint does not depend on the machine.
        assert "sdpa_float32" not in str(contents(tmp_path / f"{amx}" / "checkpoints"))
    assert seen == {torch.float32}
