"""Tokens a second and MFU of training and evaluation on one GPU, for a random LLaMA-2-7B.

Speed does not depend on the weights, so they are random. Training is segment.train_segment without
its files; evaluation is evaluate.losses. Padding does not count. MFU is operations a second over
--peak-tflops, where a forward pass of an instance of n tokens takes
    2 n M + 2 n n L H   operations
(M: parameters in matrices, the output's for label positions only in evaluation; L layers, H their
width; causal attention looks at half of all pairs), and training three times that, whatever is
computed twice to save memory. On a machine without a GPU --cpu tries the program and measures
nothing. What the numbers mean: benchmarks/README.md.
"""

import argparse
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    PreTrainedTokenizerFast,
    TrainerCallback,
)

from nearfirst.data.instances import conversations, read_instances
from nearfirst.evaluate.losses import losses
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.hardware import TrainHardware
from nearfirst.model import load
from nearfirst.model.template import IGNORED, Tokens, encode
from nearfirst.train import segment
from nearfirst.train.batches import run_steps
from nearfirst.train.settings import TrainSettings

GOAL_TOKENS, GOAL_MFU = 8500, 0.35
# Characters / 4 of 16,721 instances of real instruction data (GPTeacher, GSM8K, Alpaca's seeds), at
# these percentiles; half of them are the answer's.
PERCENTILES = [0, 5, 10, 20, 40, 60, 80, 90, 95, 98, 99, 100]
LENGTHS = [14, 71, 78, 87, 104, 131, 177, 210, 240, 275, 302, 1597]


def instances(arguments: argparse.Namespace, count: int) -> list[Tokens]:
    """Return `count` instances of random ids, as long as those given, or as the lengths above."""
    generator = np.random.default_rng(0)
    if arguments.instances:
        tokenizer = load.load_tokenizer(str(arguments.tokenizer))
        table = read_instances(arguments.instances)
        rows = generator.permutation(len(table))[:count]
        found = encode(conversations(table.take(rows)), tokenizer, arguments.max_length)
        lengths = [(len(item.ids), item.label_tokens) for item in found if item.label_tokens]
    else:
        drawn = np.interp(100 * generator.random(count), PERCENTILES, LENGTHS).astype(int)
        drawn = np.minimum(drawn, arguments.max_length)
        lengths = [(length, length - length // 2) for length in drawn]
    made = []
    for length, labelled in (lengths * -(-count // len(lengths)))[:count]:
        ids = generator.integers(arguments.vocabulary, size=length)
        made.append(Tokens(ids, np.where(np.arange(length) < length - labelled, IGNORED, ids)))
    return made


def model_of(arguments: argparse.Namespace, dtype: torch.dtype) -> Any:
    config = LlamaConfig(
        vocab_size=arguments.vocabulary,
        hidden_size=arguments.hidden_size,
        intermediate_size=arguments.intermediate_size,
        num_hidden_layers=arguments.layers,
        num_attention_heads=arguments.heads,
        max_position_embeddings=4096,
    )
    torch.manual_seed(0)
    with load.device():
        return AutoModelForCausalLM.from_config(config, dtype=dtype)


def operations(arguments: argparse.Namespace, tokens: list[Tokens], every_logit: bool) -> float:
    """Return the operations of one forward pass over the instances."""
    width, layers = arguments.hidden_size, arguments.layers
    lengths = np.array([len(item.ids) for item in tokens], dtype=float)
    layer = 4 * width * width + 3 * width * arguments.intermediate_size
    rows = lengths.sum() if every_logit else sum(item.label_tokens for item in tokens)
    head = 2 * rows * width * arguments.vocabulary
    return float(
        2 * lengths.sum() * layers * layer + head + 2 * (lengths**2).sum() * layers * width
    )


def now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


class TimedError(Exception):
    """All steps to be timed are done."""


class Clock(TrainerCallback):
    """Times the steps (first, last] of a Trainer, and ends it."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last, self.since, self.seconds = first, last, 0.0, 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock, or stop it."""
        if state.global_step == self.first:
            self.since = now()
        elif state.global_step == self.last:
            self.seconds = now() - self.since
            raise TimedError  # before a checkpoint or a state is written


def train(arguments: argparse.Namespace) -> None:
    settings = TrainSettings(
        batch_size=arguments.batch_size,
        micro_batch_tokens=arguments.micro_batch_tokens,
        precision="float32" if arguments.cpu else "float16",
        checkpoint_every=10**6,
    )
    steps = arguments.warm_up + arguments.steps
    # One step more, so that the last timed step is not the end of the run.
    tokens = instances(arguments, (steps + 1) * settings.batch_size)
    clock = Clock(arguments.warm_up, steps)
    # No checkpoints of 27 GB and states of 81 GB.
    segment.log_progress = lambda trainer, stop: trainer.add_callback(clock)
    segment._Segment._save = lambda self, step: None
    with tempfile.TemporaryDirectory() as folder, suppress(TimedError):
        segment.train_segment(
            model_of(arguments, torch.float32),
            PreTrainedTokenizerFast(tokenizer_object=Tokenizer(BPE())),
            run_steps(tokens, settings),
            settings,
            TrainHardware(recompute_activations=arguments.recompute),
            start=0,
            stop=steps + 1,
            before=None,
            work=Path(folder) / "work",
            run="benchmark",
        )
    timed = tokens[arguments.warm_up * settings.batch_size : steps * settings.batch_size]
    report(arguments, "training", timed, clock.seconds, 3 * operations(arguments, timed, False))


def evaluate(arguments: argparse.Namespace) -> None:
    tokens = instances(arguments, arguments.count)
    model = model_of(arguments, torch.float32 if arguments.cpu else torch.float16).eval()
    losses(model, tokens, arguments.batch_tokens)  # warms up
    since = now()
    losses(model, tokens, arguments.batch_tokens)
    report(arguments, "evaluation", tokens, now() - since, operations(arguments, tokens, False))


def report(
    arguments: argparse.Namespace, stage: str, tokens: list[Tokens], seconds: float, work: float
) -> None:
    count = sum(len(item.ids) for item in tokens)
    speed, mfu = count / seconds, work / seconds / arguments.peak_tflops / 1e12
    if arguments.cpu:
        print(f"{stage}: works; nothing is measured on a CPU", flush=True)
        return
    met = speed >= GOAL_TOKENS and mfu >= GOAL_MFU
    print(
        f"{stage}, {torch.cuda.get_device_name()}: {speed:,.0f} tokens/s, MFU {100 * mfu:.1f} % of "
        f"{arguments.peak_tflops:,} TFLOP/s, {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB   "
        f"({len(tokens)} instances of {count / len(tokens):.0f} tokens, {seconds:.1f} s; goal "
        f"{GOAL_TOKENS:,} tokens/s and {100 * GOAL_MFU:.0f} %: {'met' if met else 'MISSED'})",
        flush=True,
    )


def main(arguments: argparse.Namespace) -> None:
    if bool(arguments.instances) != bool(arguments.tokenizer):
        sys.exit("error: give both --instances and --tokenizer, or neither")
    if not torch.cuda.is_available() and not arguments.cpu:
        sys.exit("error: no GPU here; --cpu tries the program with a tiny shape")
    if arguments.cpu and torch.cuda.is_available():
        sys.exit("error: --cpu is for machines without a GPU")
    for stage in (evaluate, train):
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        stage(arguments)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--cpu", action="store_true", help="smoke test, for a tiny shape")
    add("--peak-tflops", type=float, default=989, help="of the GPU; default: dense 16-bit, H200")
    add("--layers", type=int, default=32)
    add("--hidden-size", type=int, default=4096)
    add("--intermediate-size", type=int, default=11008)
    add("--heads", type=int, default=32)
    add("--vocabulary", type=int, default=32000)
    add("--max-length", type=int, default=1024, help="tokens kept of an instance")
    add("--instances", type=Path, help="real instances (Parquet), for their lengths")
    add("--tokenizer", type=Path, help="folder of a tokenizer, with --instances")
    add("--batch-size", type=int, default=16, help="instances of a training step")
    add("--micro-batch-tokens", type=int, default=16384, help="most tokens in one pass")
    add("--recompute", action="store_true", help="save memory by computing activations twice")
    add("--steps", type=int, default=30, help="training steps to time")
    add("--warm-up", type=int, default=5, help="training steps before these")
    add("--batch-tokens", type=int, default=EvaluateSettings().batch_tokens, help="of evaluation")
    add("--count", type=int, default=1121, help="instances to evaluate")
    main(parser.parse_args())
