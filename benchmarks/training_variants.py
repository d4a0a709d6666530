"""Training in bfloat16 and of adapters on this CPU, against all weights in float32.

The model has the shape of SmolLM2-135M and random weights, on which speed does not depend. It is
trained by `segment.train_unsaved`; the variants take turns.
benchmarks/README.md explains the numbers.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from random_llama import SHAPES, llama
from shared import CLOCKS, load_before, parser
from transformers import TrainerCallback

from nearfirst.model.adapter import add_adapter
from nearfirst.model.template import Tokens
from nearfirst.train.batches import run_steps
from nearfirst.train.segment import train_unsaved
from nearfirst.train.settings import TrainSettings

SHAPE = SHAPES["SmolLM2-135M"]
VARIANTS: dict[str, dict[str, Any]] = {
    "float32": {},
    "bfloat16": {"precision": "bfloat16"},
    "adapter": {"adapter": {"rank": 16}},
    # The layers that the LoRA paper adapts (Hu et al. 2021, Section 5.1).
    "adapter of q, v": {"adapter": {"rank": 16, "targets": ["q_proj", "v_proj"]}},
}
LENGTH = 128
"""Tokens of an instance."""


class Clock(TrainerCallback):
    """Records the time of each step by each clock, and the loss."""

    def __init__(self) -> None:
        self.loss = float("nan")
        self.times: list[tuple[float, float]] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Record the time."""
        self.times.append((time.perf_counter(), time.process_time()))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Record the loss of a step; the last log entry has none."""
        self.loss = logs.get("loss", self.loss)


def train(
    variant: dict[str, Any], tokens: list[Tokens], instances: int
) -> tuple[np.ndarray, float]:
    """Return the seconds of the fastest step by each of CLOCKS, and the loss of the last one."""
    settings = TrainSettings(
        batch_size=instances,
        micro_batch_tokens=instances * LENGTH,
        learning_rate=3e-4,
        checkpoint_every=1,
        **variant,
    )
    torch.set_num_threads(settings.threads)
    torch.manual_seed(0)
    clock = Clock()
    model = llama(SHAPE)
    if settings.adapter:
        add_adapter(model, settings.adapter)
    with tempfile.TemporaryDirectory() as folder:
        train_unsaved(model, run_steps(tokens, settings), settings, Path(folder), clock)
    return np.diff(clock.times, axis=0).min(axis=0), clock.loss


if __name__ == "__main__":
    flags = parser(__doc__, 20, "steps, of which the fastest counts")
    flags.add_argument("--instances", type=int, default=16, help="instances of a step")
    flags.add_argument("--rounds", type=int, default=1, help="times that each variant trains")
    arguments = flags.parse_args()
    steps, instances = arguments.repeats, arguments.instances
    print(load_before(), flush=True)
    # With the frequencies of words, so that training can learn.
    shape = (steps * instances, LENGTH)
    ids = np.random.default_rng(0).zipf(1.3, shape) % SHAPE["vocab_size"]
    tokens = [Tokens(row, row) for row in ids]
    results: dict[str, list[tuple[np.ndarray, float]]] = {}
    for _ in range(arguments.rounds):
        for name, variant in VARIANTS.items():
            results.setdefault(name, []).append(train(variant, tokens, instances))
    plain, exact = zip(*results.pop("float32"), strict=True)
    size = instances * LENGTH
    for name, runs in results.items():
        seconds, losses = zip(*runs, strict=True)
        # By round, since the speed of a machine changes between rounds.
        ratios = np.median(np.divide(plain, seconds), axis=0)
        for clock, floor, ours, ratio in zip(
            CLOCKS, np.min(plain, axis=0), np.min(seconds, axis=0), ratios, strict=True
        ):
            print(
                f"{name:<15} {clock:<10} {size / ours:>7,.0f} tokens/s   "
                f"float32 {size / floor:>7,.0f}   ratio {ratio:.2f}"
            )
        print(
            f"{name:<15} loss of step {steps}: {losses[0]:.4f}, float32 {exact[0]:.4f}, "
            f"{100 * (losses[0] / exact[0] - 1):+.2f} %",
            flush=True,
        )
