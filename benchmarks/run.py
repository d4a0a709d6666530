"""Speed of embedding and training, as a ratio to a floor measured in the same run.

Needs the results of `snakemake results/fig4_flan.pdf` with `preset: mini`. A ratio above 1 means
faster than the floor. benchmarks/README.md explains the numbers.
"""

from pathlib import Path

import numpy as np
import torch
from random_llama import train_bare, train_once
from shared import CLOCKS, fastest, load_before, parser

from nearfirst.data.conversation import Message, text_of
from nearfirst.data.instances import conversations, read_instances
from nearfirst.embed import encode
from nearfirst.embed.kinds.text import Settings
from nearfirst.model import load, template
from nearfirst.train.batches import run_steps
from nearfirst.train.settings import TrainSettings

MODEL = "results/model/seed-0"
MAX_LENGTH = 512


def messages() -> list[list[Message]]:
    return conversations(read_instances(Path("results/instances/flan/train.parquet")))


def embedding(repeats: int) -> None:
    settings = Settings()
    torch.set_num_threads(settings.threads)
    texts = [text_of(chat) for chat in messages()[: encode.BLOCK]]
    encoder = encode.load(settings.model)
    sizes = (16, 32, 64, 128)
    ours, *floors = fastest(
        [
            lambda: encode.embed(texts, len(texts), encoder, settings),
            *(lambda size=size: encoder.encode(texts, batch_size=size) for size in sizes),
        ],
        repeats,
    )
    best = int(np.argmin([floor[0] for floor in floors]))
    report("embedding", "texts", len(texts), ours, floors[best], f"batch_size={sizes[best]}")


def training(repeats: int) -> None:
    settings = TrainSettings(learning_rate=1e-4, steps=60)
    torch.set_num_threads(settings.threads)
    tokenizer = load.load_tokenizer(MODEL)
    tokens = template.encode(messages(), tokenizer, MAX_LENGTH)[: 60 * settings.batch_size]
    steps = run_steps(tokens, settings)

    def ours() -> None:
        train_once(load.load_model(MODEL), tokenizer, steps, settings)

    def floor() -> None:
        train_bare(load.load_model(MODEL), [[step] for step in steps])

    count = sum(len(item.ids) for item in tokens)
    mine, bare = fastest([ours, floor], repeats)
    report("training", "tokens", count, mine, bare, "bare loop")


def report(
    stage: str, unit: str, count: int, ours: np.ndarray, floor: np.ndarray, name: str
) -> None:
    for clock, mine, theirs in zip(CLOCKS, ours, floor, strict=True):
        print(
            f"{stage:<11} {clock:<10} {count / mine:>9,.0f} {unit}/s   "
            f"floor {count / theirs:>9,.0f} ({name})   ratio {theirs / mine:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    arguments = parser(__doc__, 3, "runs, of which the best counts").parse_args()
    print(load_before(), flush=True)
    for measure in (embedding, training):
        measure(arguments.repeats)
