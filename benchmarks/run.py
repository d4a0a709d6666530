"""Speed of the stages as a ratio to their floor, both measured in this run.

Needs the artifacts of `snakemake results/fig4_flan.pdf` with `preset: mini`. Ratios above 1 are
faster than the floor named. What the numbers mean: benchmarks/README.md.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from nearfirst import embedding, evaluation, models, template, training
from nearfirst.batching import batches
from nearfirst.instances import conversations, read_instances, text_of
from nearfirst.settings.embedding import EmbeddingSettings
from nearfirst.settings.evaluation import EvaluateSettings
from nearfirst.settings.hardware import TrainHardware
from nearfirst.settings.training import TrainSettings

RESULTS = Path("results")
MODEL = str(RESULTS / "model")
LENGTH = 512


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the shortest of several runs, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        since = time.perf_counter()
        work()
        times.append(time.perf_counter() - since)
    return min(times)


def embedding_ratio(repeats: int) -> None:
    settings = EmbeddingSettings()
    torch.set_num_threads(settings.threads)
    table = read_instances(RESULTS / "instances/flan/train.parquet")
    texts = [text_of(messages) for messages in conversations(table)][: embedding.BLOCK]
    encoder = embedding.load(settings.model)
    floor = {
        size: seconds(lambda size=size: encoder.encode(texts, batch_size=size), repeats)
        for size in (16, 32, 64, 128)
    }
    best = min(floor, key=lambda size: floor[size])
    ours = seconds(lambda: embedding.embed(texts, encoder, settings.batch_tokens), repeats)
    report("embedding", "texts", len(texts), ours, floor[best], f"encode(batch_size={best})")


def evaluation_ratio(repeats: int) -> None:
    settings = EvaluateSettings()
    torch.set_num_threads(settings.threads)
    tokens = encoded("specialist-0")
    model = models.empty_model(MODEL)
    checkpoint = min((RESULTS / "checkpoints/flan").glob("*/seed-0/*/step-000000"))

    def stage() -> None:
        evaluation.load_weights(model, checkpoint)
        evaluation.losses(model, tokens, settings.batch_tokens)

    padded = [
        training.pad([tokens[i] for i in batch])["input_ids"]
        for batch in batches([len(item.ids) for item in tokens], settings.batch_tokens)
    ]

    def bare() -> None:
        with torch.inference_mode():
            for ids in padded:
                model(input_ids=ids, use_cache=False)

    count = sum(len(item.ids) for item in tokens)
    ours, floor = seconds(stage, 5 * repeats), seconds(bare, 5 * repeats)
    report("evaluation", "tokens", count, ours, floor, "bare forward pass")


def training_ratio(repeats: int) -> None:
    settings = TrainSettings(micro_batch_size=16, learning_rate=1e-4, steps=60)
    torch.set_num_threads(settings.threads)
    tokens = encoded("train")[: 60 * settings.batch_size]

    def stage() -> None:
        with tempfile.TemporaryDirectory() as folder:
            training.train_segment(
                models.load_model(MODEL),
                tokens,
                settings,
                TrainHardware(),
                start=0,
                stop=None,
                before=None,
                work=Path(folder) / "work",
                origin=[],
            )

    def bare() -> None:
        model = models.load_model(MODEL)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95))
        for start in range(0, len(tokens), settings.batch_size):
            batch = training.pad(tokens[start : start + settings.batch_size])
            model(**batch).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    count = sum(len(item.ids) for item in tokens)
    floor = seconds(bare, repeats)
    report("training", "tokens", count, seconds(stage, repeats), floor, "bare loop")


def encoded(split: str) -> list[template.Tokens]:
    table = read_instances(RESULTS / f"instances/flan/{split}.parquet")
    return template.encode(conversations(table), models.load_tokenizer(MODEL), LENGTH)


def report(stage: str, unit: str, count: int, ours: float, floor: float, name: str) -> None:
    print(
        f"{stage:<11} {count / ours:>9,.0f} {unit}/s   floor {count / floor:>9,.0f} ({name})   "
        f"ratio {floor / ours:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of which the best counts")
    arguments = parser.parse_args()
    for measure in (embedding_ratio, evaluation_ratio, training_ratio):
        measure(arguments.repeats)
