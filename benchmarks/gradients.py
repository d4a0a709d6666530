"""Gradients of LESS: time and memory for a pool of 100,000 instances, from a part of it.

`--processes` shards of one thread each compute gradients of `--instances` random instances of
`--tokens` tokens, the last third of them labels, for a Llama of the size of `mini`'s at one
checkpoint, preconditioned by Adam. What a shard does once (loading model and moments, making the
projection) is timed separately; the time of an instance is scaled to 100,000.
"""

import argparse
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from random_llama import empty_tokenizer, llama
from shared import CLOCKS, load_before
from transformers import Trainer

from nearfirst.embed import gradients
from nearfirst.model.logits import pad
from nearfirst.model.loss import step_loss
from nearfirst.model.settings import PretrainSettings
from nearfirst.model.template import IGNORED, Tokens

POOL = 100_000


def instances(count: int, length: int, vocabulary: int) -> list[Tokens]:
    """Return instances of random ids; the last third of each are labels."""
    ids = np.random.default_rng(0).integers(0, vocabulary, (count, length))
    labels = np.where(np.arange(length) < length - length // 3, IGNORED, ids)
    return [Tokens(*pair) for pair in zip(ids, labels, strict=True)]


def warm_up(folder: Path, count: int, length: int) -> None:
    """Write a model of random weights, and a state after one step of Adam."""
    settings = PretrainSettings()
    torch.manual_seed(0)
    model = llama({"vocab_size": settings.vocabulary, **settings.llama()})
    decaying = set(Trainer.get_decay_parameter_names(None, model))
    groups = [
        {"params": [p for name, p in model.named_parameters() if (name in decaying) == decays]}
        for decays in (True, False)
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-5)
    batch = pad(instances(count, length, settings.vocabulary))
    step_loss(model, batch, torch.tensor(count * (length // 3))).backward()
    optimizer.step()
    checkpoint, state = folder / "checkpoints/step-000001", folder / "state"
    model.save_pretrained(checkpoint)
    empty_tokenizer().save_pretrained(checkpoint)
    state.mkdir()
    torch.save(optimizer.state_dict(), state / "optimizer.pt")


def shard(folder: Path, count: int, length: int, dimension: int) -> tuple[float, float, float]:
    """Represent instances; return the seconds by both clocks and the peak memory in GB."""
    torch.set_num_threads(1)
    tokens = instances(count, length, PretrainSettings().vocabulary)
    name, ids = str(folder / "checkpoints/step-000001"), [str(i) for i in range(count)]
    since, used = time.perf_counter(), time.process_time()
    gradients.represent(name, [folder], [1.0], ids, tokens, dimension, 0, preconditioned=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return time.perf_counter() - since, time.process_time() - used, memory * 1024 / 1e9


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=2000, help="in all shards together")
    parser.add_argument("--tokens", type=int, default=60, help="of an instance")
    parser.add_argument("--dimension", type=int, default=512, help="of the projection")
    parser.add_argument("--processes", type=int, default=2, help="shards at once")
    arguments = parser.parse_args()
    print(load_before())
    spawn = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as temporary,
        ProcessPoolExecutor(arguments.processes, mp_context=spawn) as pool,
    ):
        folder = Path(temporary)
        pool.submit(warm_up, folder, 16, arguments.tokens).result()

        def shards(count: int) -> list[float]:
            """Return the time of the slowest shard by each clock, and the memory of all."""
            jobs = [
                pool.submit(shard, folder, count, arguments.tokens, arguments.dimension)
                for _ in range(arguments.processes)
            ]
            wall, cpu, memory = zip(*(job.result() for job in jobs), strict=True)
            return [max(wall), max(cpu), sum(memory)]

        shards(1)  # imports and first calls
        once, measured = shards(1), shards(arguments.instances // arguments.processes)
    print(
        f"{arguments.instances:,} instances in {arguments.processes} processes: "
        f"{measured[2]:.2f} GB in all"
    )
    for clock, first, seconds in zip(CLOCKS, once, measured, strict=False):
        each = (seconds - first) / arguments.instances
        print(
            f"{clock}: measured {seconds:.0f} s, of which {first:.1f} s once; scaled to {POOL:,}: "
            f"{(first + POOL * each) / 60:.1f} min"
        )
