"""Prefix curves of the nine measures: Parquet to the written tables, once for each permutation.

Makes (or finds, under --folder) seeded instances with texts, their embeddings and three shuffles of
them. What the numbers mean: benchmarks/README.md.
"""

import argparse
import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from tma import embeddings, floors, measured

from nearfirst.common.parquet import ARRANGEMENT, INSTANCES, embeddings_table, write_table
from nearfirst.distance.distances import Matrix

TASKS, PER_TASK, PERMUTATIONS = 225, 5, 3
VOCABULARY = 50_000
SIDES = ("train", "test")


def texts(count: int, generator: np.random.Generator) -> list[str]:
    """Return texts of about 140 words, a few of them long; the words follow Zipf's law."""
    lengths = generator.lognormal(4.7, 0.7, count).astype(int) + 2
    share = np.arange(1, VOCABULARY + 1) ** -1.0
    drawn = generator.choice(VOCABULARY, lengths.sum(), p=share / share.sum())
    words = np.array([f"word{i}"[-(2 + i % 7) :] + f"{i}" for i in range(VOCABULARY)])[drawn]
    return [" ".join(part) for part in np.split(words, np.cumsum(lengths)[:-1])]


def make(folder: Path, points: int) -> None:
    """Write all tables."""
    generator = np.random.default_rng(0)
    both = embeddings("clustered", points, TASKS * PER_TASK, 384)
    for side, vectors in zip(SIDES, both, strict=True):
        write_side(folder, side, vectors, generator)
    for seed in range(PERMUTATIONS):
        columns = {
            "position": np.arange(points, dtype=np.int32),
            "id": [f"train-{i}" for i in generator.permutation(points)],
            "round": [None] * points,
        }
        write_table(pa.table(columns, schema=ARRANGEMENT), folder / f"order-{seed}.parquet")


def write_side(folder: Path, side: str, vectors: Matrix, generator: np.random.Generator) -> None:
    ids = [f"{side}-{i}" for i in range(len(vectors))]
    messages = []
    for text in texts(len(vectors), generator):
        # The last fifth is the answer.
        words = text.split()
        cut = max(1, len(words) * 4 // 5)
        turns = {"user": words[:cut], "assistant": words[cut:]}
        messages.append([{"role": role, "content": " ".join(w)} for role, w in turns.items()])
    columns = {
        "id": ids,
        "task": [f"task-{i % TASKS}" for i in range(len(ids))],
        "messages": messages,
        "references": [[talk[1]["content"]] for talk in messages],
    }
    write_table(pa.table(columns, schema=INSTANCES), folder / f"{side}.parquet")
    write_table(embeddings_table(ids, vectors), folder / f"{side}-embeddings.parquet")


def program(folder: Path, seed: int, threads: int) -> tuple[float, float]:
    """Run similarity.py; return its seconds and its peak memory in GB."""
    files = {f"{side}-instances": f"{side}.parquet" for side in SIDES}
    files |= {f"{side}-embeddings": f"{side}-embeddings.parquet" for side in SIDES}
    files |= {"arrangement": f"order-{seed}.parquet", "output": "curves.parquet", "log": "log"}
    paths = {flag: folder / name for flag, name in files.items()}
    return measured("similarity.py", paths, ["--threads", str(threads)])


def main(arguments: argparse.Namespace) -> None:
    folder = arguments.folder / str(arguments.points)
    inputs: Sequence[Path] = [
        *(folder / f"{side}{what}.parquet" for side in SIDES for what in ("", "-embeddings")),
        *(folder / f"order-{seed}.parquet" for seed in range(PERMUTATIONS)),
    ]
    if not all(path.exists() for path in inputs):
        folder.mkdir(parents=True, exist_ok=True)
        # In a process of its own: a program's peak counts that of the process that starts it.
        maker = multiprocessing.get_context("spawn").Process(
            target=make, args=(folder, arguments.points)
        )
        maker.start()
        maker.join()
    arguments.tests, arguments.dimension = TASKS * PER_TASK, 384
    for _ in range(arguments.repeats):
        load = os.getloadavg()[0]
        runs = [program(folder, seed, arguments.threads) for seed in range(PERMUTATIONS)]
        seconds, memory = sum(run[0] for run in runs), max(run[1] for run in runs)
        reading, product = floors(list(inputs), arguments)
        print(
            f"similarity, {PERMUTATIONS} x {arguments.points:,} x {arguments.tests:,} x "
            f"{arguments.dimension}: {seconds:.1f} s, {memory:.2f} GB   "
            f"floor: read {PERMUTATIONS} times {PERMUTATIONS * reading:.1f} s, one product each "
            f"{PERMUTATIONS * product:.1f} s   "
            f"ratio {PERMUTATIONS * (reading + product) / seconds:.2f}   (load {load:.1f} before)",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--points", type=int, default=28_751, help="training points")
    add("--threads", type=int, default=2, help="CPU threads")
    add("--repeats", type=int, default=1, help="runs, each reported")
    add(
        "--folder",
        type=Path,
        default=Path("/tmp/nearfirst-similarity"),
        help="where the tables are kept",
    )
    main(parser.parse_args())
