"""Speed of embedding and training as a ratio to their floor, both measured in this run.

Needs the artifacts of `snakemake results/fig4_flan.pdf` with `preset: mini`. Ratios above 1 are
faster than the floor named. What the numbers mean: benchmarks/README.md.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from nearfirst.data.instances import conversations, read_instances, text_of
from nearfirst.embed import encode
from nearfirst.embed.settings import EmbeddingSettings
from nearfirst.hardware import TrainHardware
from nearfirst.model import load, template
from nearfirst.model.logits import pad
from nearfirst.train import segment
from nearfirst.train.settings import TrainSettings

RESULTS = Path("results")
MODEL = str(RESULTS / "model")
LENGTH = 512


CLOCKS = {"wall clock": time.perf_counter, "CPU": time.process_time}
Seconds = tuple[float, ...]


def seconds(works: Sequence[Callable[[], object]], repeats: int) -> list[Seconds]:
    """Return each one's shortest of several runs, after one that warms up, by both clocks.

    They take turns, so that other work on the machine meets all of them. That of the CPU says more
    then, but does not see waiting for a disk.
    """
    times: list[list[Seconds]] = [[] for _ in works]
    for _ in range(repeats + 1):
        for work, spent in zip(works, times, strict=True):
            since = [clock() for clock in CLOCKS.values()]
            work()
            spent.append(
                tuple(clock() - s for clock, s in zip(CLOCKS.values(), since, strict=True))
            )
    return [tuple(min(each) for each in zip(*spent[1:], strict=True)) for spent in times]


def embedding_ratio(repeats: int) -> None:
    settings = EmbeddingSettings()
    torch.set_num_threads(settings.threads)
    table = read_instances(RESULTS / "instances/flan/train.parquet")
    texts = [text_of(messages) for messages in conversations(table)][: encode.BLOCK]
    encoder = encode.load(settings.model)
    sizes = (16, 32, 64, 128)
    ours, *floors = seconds(
        [
            lambda: encode.embed(texts, encoder, settings.batch_tokens),
            *(lambda size=size: encoder.encode(texts, batch_size=size) for size in sizes),
        ],
        repeats,
    )
    floor, best = min(zip(floors, sizes, strict=True))
    report("embedding", "texts", len(texts), ours, floor, f"encode(batch_size={best})")


def training_ratio(repeats: int) -> None:
    settings = TrainSettings(micro_batch_size=16, learning_rate=1e-4, steps=60)
    torch.set_num_threads(settings.threads)
    tokens = encoded("train")[: 60 * settings.batch_size]

    def stage() -> None:
        with tempfile.TemporaryDirectory() as folder:
            segment.train_segment(
                load.load_model(MODEL),
                tokens,
                settings,
                TrainHardware(),
                start=0,
                stop=None,
                before=None,
                work=Path(folder) / "work",
                run="benchmark",
            )

    def bare() -> None:
        model = load.load_model(MODEL)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95))
        for start in range(0, len(tokens), settings.batch_size):
            batch = pad(tokens[start : start + settings.batch_size])
            model(**batch).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    count = sum(len(item.ids) for item in tokens)
    ours, floor = seconds([stage, bare], repeats)
    report("training", "tokens", count, ours, floor, "bare loop")


def encoded(split: str) -> list[template.Tokens]:
    table = read_instances(RESULTS / f"instances/flan/{split}.parquet")
    return template.encode(conversations(table), load.load_tokenizer(MODEL), LENGTH)


def report(stage: str, unit: str, count: int, ours: Seconds, floor: Seconds, name: str) -> None:
    for clock, mine, least in zip(CLOCKS, ours, floor, strict=True):
        print(
            f"{stage:<11} {clock:<10} {count / mine:>9,.0f} {unit}/s   "
            f"floor {count / least:>9,.0f} ({name})   ratio {least / mine:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of which the best counts")
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} before", flush=True)
    for measure in (embedding_ratio, training_ratio):
        measure(arguments.repeats)
