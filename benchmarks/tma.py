"""TMA at scale: `arrange.py`, from Parquet to the written order, compared with a floor.

Makes seeded embeddings under --folder once: `clustered`, in tasks like those of real text;
`concentrated`, the same with all test points in three tasks; or `noise`. benchmarks/README.md
explains the numbers.
"""

import argparse
import time
from pathlib import Path
from tempfile import gettempdir

import numpy as np
from shared import SCRIPTS, load_before, make_once, parser, run

from nearfirst.common.embeddings import embeddings_table
from nearfirst.common.parquet import write_table
from nearfirst.distance.distances import ROWS, Matrix, in_blocks

TASKS, HELD_OUT, FAMILIES = 1600, 225, 200


def embeddings(kind: str, points: int, tests: int, dimension: int) -> tuple[Matrix, Matrix]:
    """Return (N, d) training and (M, d) test embeddings of unit length.

    They resemble MiniLM's of the mini Flan corpus: cosines of about 0.57 within a task and 0.13
    between tasks, few strong directions, tasks of very different sizes one after another, and some
    duplicates.
    """
    generator = np.random.default_rng(0)

    def vectors(count: int) -> Matrix:
        return generator.standard_normal((count, dimension), dtype=np.float32)

    if kind == "noise":
        return normalize(vectors(points)), normalize(vectors(tests))
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
    test_tasks = HELD_OUT if kind == "clustered" else 3
    test = 0.6 * scale * vectors(tests) + centres[TASKS + np.arange(tests) % test_tasks]
    return normalize(train), normalize(test)


def normalize(vectors: Matrix) -> Matrix:
    """Scale the vectors to unit length in place, and return them."""
    for start in range(0, len(vectors), ROWS):
        rows = vectors[start : start + ROWS]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return vectors


def make(paths: list[Path], kind: str, points: int, tests: int, dimension: int) -> None:
    for path, vectors in zip(paths, embeddings(kind, points, tests, dimension), strict=True):
        ids = [f"{path.stem}-{i}" for i in range(len(vectors))]
        write_table(embeddings_table(ids, vectors), path)


def floors(
    paths: list[Path], points: int, tests: int, dimension: int, threads: int
) -> tuple[float, float]:
    """Return the seconds to read the files' bytes, and to multiply all pairs once."""
    since = time.perf_counter()
    for path in paths:
        with path.open("rb") as file:
            while file.read(2**24):
                pass
    reading = time.perf_counter() - since
    block = np.ones((ROWS, dimension), dtype=np.float32)
    other = np.ones((dimension, tests), dtype=np.float32)

    def product(start: int) -> None:
        np.matmul(block, other)

    since = time.perf_counter()
    in_blocks(product, range(0, points, ROWS), threads)
    return reading, time.perf_counter() - since


def main(arguments: argparse.Namespace) -> None:
    shape = (arguments.points, arguments.tests, arguments.dimension)
    name = "-".join(str(part) for part in (arguments.kind, *shape))
    paths = [arguments.folder / f"{name}-{side}.parquet" for side in ("train", "test")]
    make_once(paths, make, paths, arguments.kind, *shape)
    size = sum(path.stat().st_size for path in paths) / 1e9
    log = arguments.folder / "log"
    for _ in range(arguments.repeats):
        load = load_before()
        used = run(
            *(SCRIPTS / "arrange.py", "--settings", '{"method": "tma", "order": "nearest"}'),
            *("--train", paths[0], "--test", paths[1], "--threads", arguments.threads),
            *("--output", arguments.folder / "order.parquet", "--log", log),
        )
        rounds = log.read_text().splitlines()[-1].split(maxsplit=1)[1]
        reading, product = floors(paths, *shape, arguments.threads)
        print(
            f"TMA, {arguments.kind}, {arguments.points:,} x {arguments.tests:,} x "
            f"{arguments.dimension}: {used.wall:.1f} s, {used.memory:.2f} GB   "
            f"floor: {size:.2f} GB read in {reading:.1f} s, one product {product:.1f} s   "
            f"ratio {(reading + product) / used.wall:.2f}   ({rounds}; {load})",
            flush=True,
        )


if __name__ == "__main__":
    flags = parser(__doc__, 1, "runs, each reported")
    add = flags.add_argument
    add("--kind", choices=["clustered", "concentrated", "noise"], default="clustered")
    add("--points", type=int, default=1_000_000, help="training points, N")
    add("--tests", type=int, default=1_121, help="test points, M")
    add("--dimension", type=int, default=384, help="of the embeddings")
    add("--threads", type=int, default=2, help="CPU threads")
    folder = Path(gettempdir()) / "nearfirst-tma"
    add("--folder", type=Path, default=folder, help="where the tables are kept")
    main(flags.parse_args())
