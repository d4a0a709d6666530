"""TMA at scale: Parquet to a full order, as a program, against what it must at least do.

Makes (or finds, under --folder) seeded embeddings: `clustered`, tasks of instances as text has;
`concentrated`, the same with the test points in three tasks; or `noise`. What the numbers mean:
benchmarks/README.md.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nearfirst.common.parquet import embeddings_table, write_table
from nearfirst.distance.distances import ROWS, Matrix, in_blocks

REPOSITORY = Path(__file__).parents[1]
TASKS, HELD_OUT, FAMILIES = 1600, 225, 200


def embeddings(kind: str, points: int, tests: int, dimension: int) -> tuple[Matrix, Matrix]:
    """Return (N, d) training and (M, d) test embeddings of unit length.

    Made like those that MiniLM gives the mini Flan corpus: cosines of about 0.57 inside a task and
    0.13 outside it, few strong directions, tasks of very different size one after another, and some
    duplicates.
    """
    generator = np.random.default_rng(0)

    def vectors(count: int) -> Matrix:
        return generator.standard_normal((count, dimension), dtype=np.float32)

    if kind == "noise":
        return unit(vectors(points)), unit(vectors(tests))
    scale = np.arange(1, dimension + 1, dtype=np.float32) ** -0.5
    scale /= np.linalg.norm(scale)
    families = 0.45 * scale * vectors(FAMILIES)
    centres = 0.38 * scale * vectors(1) + 0.45 * scale * vectors(TASKS + HELD_OUT)
    centres += families[generator.integers(FAMILIES, size=len(centres))]
    sizes = generator.zipf(1.6, TASKS).clip(1, 3000)
    task = np.sort(generator.choice(TASKS, points, p=sizes / sizes.sum()))
    train = vectors(points)
    for start in range(0, points, ROWS):
        rows = slice(start, start + ROWS)
        train[rows] = 0.6 * scale * train[rows] + centres[task[rows]]
    copies = np.flatnonzero(generator.random(points) < 0.02)
    train[copies] = train[np.maximum(0, copies - generator.integers(1, 50, len(copies)))]
    few = HELD_OUT if kind == "clustered" else 3
    test = 0.6 * scale * vectors(tests) + centres[TASKS + np.arange(tests) % few]
    return unit(train), unit(test)


def unit(vectors: Matrix) -> Matrix:
    """Return the vectors, each made as long as one, in place."""
    for start in range(0, len(vectors), ROWS):
        rows = vectors[start : start + ROWS]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return vectors


def tables(arguments: argparse.Namespace) -> list[Path]:
    """Return the Parquet files of the training and the test embeddings, made if missing."""
    shape = (arguments.points, arguments.tests, arguments.dimension)
    name = "-".join(str(part) for part in (arguments.kind, *shape))
    paths = [arguments.folder / f"{name}-{side}.parquet" for side in ("train", "test")]
    if not all(path.exists() for path in paths):
        arguments.folder.mkdir(parents=True, exist_ok=True)
        # In a process of its own: a program's peak counts that of the process that starts it.
        maker = multiprocessing.get_context("spawn").Process(
            target=make, args=(paths, arguments.kind, *shape)
        )
        maker.start()
        maker.join()
    return paths


def make(paths: list[Path], kind: str, points: int, tests: int, dimension: int) -> None:
    for path, vectors in zip(paths, embeddings(kind, points, tests, dimension), strict=True):
        ids = [f"{path.stem}-{i}" for i in range(len(vectors))]
        write_table(embeddings_table(ids, vectors), path)


def program(paths: list[Path], output: Path, threads: int) -> tuple[float, float, str]:
    """Run arrange.py; return its seconds, its peak memory in GB and its last line."""
    log = output.with_suffix(".log")
    files = {"train": paths[0], "test": paths[1], "output": output, "log": log}
    more = ["--method", "tma", "--threads", str(threads)]
    seconds, memory = measured("arrange.py", files, more)
    return seconds, memory, log.read_text().splitlines()[-1]


def measured(script: str, files: Mapping[str, Path], more: Sequence[str]) -> tuple[float, float]:
    """Run a stage's program; return its seconds and its peak memory in GB."""
    since = time.perf_counter()
    flags = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "workflow/scripts" / script), *more, *flags],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow")},
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(files["log"].read_text())
    return time.perf_counter() - since, usage.ru_maxrss * 1024 / 1e9


def floors(paths: list[Path], arguments: argparse.Namespace) -> tuple[float, float]:
    """Return the seconds of reading the files' bytes and of one product of all pairs."""
    since = time.perf_counter()
    for path in paths:
        with path.open("rb") as file:
            while file.read(2**24):
                pass
    reading = time.perf_counter() - since
    block = np.ones((ROWS, arguments.dimension), dtype=np.float32)
    other = np.ones((arguments.dimension, arguments.tests), dtype=np.float32)

    def product(start: int) -> None:
        np.matmul(block, other)

    since = time.perf_counter()
    in_blocks(product, range(0, arguments.points, ROWS), arguments.threads)
    return reading, time.perf_counter() - since


def main(arguments: argparse.Namespace) -> None:
    paths = tables(arguments)
    for _ in range(arguments.repeats):
        seconds, memory, line = program(
            paths, arguments.folder / "order.parquet", arguments.threads
        )
        reading, product = floors(paths, arguments)
        size = sum(path.stat().st_size for path in paths) / 1e9
        shape = f"{arguments.points:,} x {arguments.tests:,} x {arguments.dimension}"
        print(
            f"TMA, {arguments.kind}, {shape}: {seconds:.1f} s, {memory:.2f} GB   "
            f"floor: {size:.2f} GB read in {reading:.1f} s, one product {product:.1f} s   "
            f"ratio {(reading + product) / seconds:.2f}   ({line.split(maxsplit=1)[1]})",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--kind", choices=["clustered", "concentrated", "noise"], default="clustered")
    add("--points", type=int, default=1_000_000, help="training points, N")
    add("--tests", type=int, default=1_121, help="test points, M")
    add("--dimension", type=int, default=384, help="of the embeddings")
    add("--threads", type=int, default=2, help="CPU threads")
    add("--repeats", type=int, default=1, help="runs, each reported")
    add("--folder", type=Path, default=Path("/tmp/nearfirst-tma"), help="where the tables are kept")
    main(parser.parse_args())
