"""A small learning rate moves float32 weights, and leaves bfloat16 ones where they are.

bfloat16 keeps 8 significant bits: between 2^k and 2^(k+1) its numbers are 2^(k-7) apart, and what
is added is lost unless it is half of that. Adam moves a weight by at most the rate, so at 1e-6
only weights below 2^-11 or so can move at all. Of weights of the scale of LLaMA's, standard
deviation 0.02, these are 2 %.
"""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from nearfirst.hardware import TrainHardware
from nearfirst.model import load
from nearfirst.model.template import Tokens, encode
from nearfirst.train import resume, segment
from nearfirst.train.settings import TrainSettings

STEPS = 20
RATE = 1e-6
RUN = TrainSettings(learning_rate=RATE, micro_batch_size=16, checkpoint_every=STEPS)
Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def tokens(some_talks: Any, tokenizer: Any) -> list[Tokens]:
    return encode(some_talks(16 * STEPS), tokenizer, 100)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, tokens: list[Tokens]
) -> Iterator[dict[torch.dtype, tuple[Weights, Weights]]]:
    """Weights before and after the same steps, by the number format in which they are kept."""
    before = signal.getsignal(signal.SIGTERM)
    torch.set_num_threads(1)
    found = {}
    for dtype in (torch.float32, torch.bfloat16):
        checkpoints, _ = segment.train_segment(
            load.load_model(str(model_folder)).to(dtype),
            tokens,
            RUN,
            TrainHardware(),
            start=0,
            stop=None,
            before=None,
            work=tmp_path_factory.mktemp("work"),
            run=resume.identity(RUN, tokens, [str(model_folder)], sharded=False),
        )
        first, last = (
            load_file(checkpoints / f"step-{step:06d}/model.safetensors") for step in (0, STEPS)
        )
        found[dtype] = first, last
    yield found
    signal.signal(signal.SIGTERM, before)


def loss(model_folder: Path, weights: Weights, tokens: list[Tokens]) -> float:
    """Mean loss a label token over instances, in float64 whatever the weights were kept in."""
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    model.load_state_dict(weights, strict=False)
    model = model.to(torch.float64)
    total = 0.0
    with torch.no_grad():
        for item in tokens:
            ids, labels = torch.from_numpy(item.ids)[None], torch.from_numpy(item.labels)[None]
            total += float(model(ids, labels=labels).loss) * item.label_tokens
    return total / sum(item.label_tokens for item in tokens)


def changed(weights: tuple[Weights, Weights]) -> torch.Tensor:
    return torch.cat([(weights[0][name] != weights[1][name]).flatten() for name in weights[0]])


def test_bfloat16_weights_stand_still_where_float32_weights_learn(
    model_folder: Path, tokens: list[Tokens], trained: dict[torch.dtype, tuple[Weights, Weights]]
) -> None:
    exact, coarse = trained[torch.float32], trained[torch.bfloat16]
    matrices = torch.cat([w.flatten() for w in exact[0].values() if w.ndim > 1])
    assert float(matrices.std()) == pytest.approx(0.02, rel=0.05)  # the scale of LLaMA's

    # Kept in float32, every weight moves, by up to the sum of the rates; here about 1e-5.
    assert bool(changed(exact).all())
    # Kept in bfloat16, none moves but those near 0. Below a power of two it is half as far.
    start = torch.cat([w.flatten() for w in coarse[0].values()])
    assert torch.equal(start, start.bfloat16().float())
    exponent = torch.frexp(start * (1 - 2**-9)).exponent - 1
    can_move = 2.0 ** (exponent - 8) <= 1.1 * RATE  # the first steps may be a little longer
    assert not bool((changed(coarse) & ~can_move).any())
    assert float(can_move.float().mean()) == pytest.approx(0.02, abs=0.01)

    # So the loss of what was trained on falls by far more than rounding, or hardly at all.
    falls = []
    for weights in (exact, coarse):
        before, after = (loss(model_folder, each, tokens[:32]) for each in weights)
        falls.append(before - after)
    assert falls[0] > 1e-4
    assert abs(falls[1]) < 0.05 * falls[0]
