"""Time `similarity.py`, from Parquet to the written table, for each of three permutations.

Makes seeded instances with texts, their embeddings and three permutations once, under --folder.
benchmarks/README.md explains the numbers.
"""

import argparse
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import pyarrow as pa
from shared import SCRIPTS, load_before, make_once, parser, run
from tma import embeddings, floors

from nearfirst.common.embeddings import embeddings_table
from nearfirst.common.parquet import ARRANGEMENT, INSTANCES, write_table

TASKS, PER_TASK, DIMENSION, PERMUTATIONS = 225, 5, 384, 3
TESTS = TASKS * PER_TASK
VOCABULARY = 50_000
SIDES = ("train", "test")


def texts(count: int, generator: np.random.Generator) -> list[list[str]]:
    """Return texts of about 140 words, a few of them long; the words follow Zipf's law."""
    lengths = generator.lognormal(4.7, 0.7, count).astype(int) + 2
    share = np.arange(1, VOCABULARY + 1) ** -1.0
    chosen = generator.choice(VOCABULARY, lengths.sum(), p=share / share.sum())
    words = np.array([f"word{i}"[-(2 + i % 7) :] + f"{i}" for i in range(VOCABULARY)])[chosen]
    return [part.tolist() for part in np.split(words, np.cumsum(lengths)[:-1])]


def make(folder: Path, points: int) -> None:
    """Write all tables."""
    generator = np.random.default_rng(0)
    both = embeddings("clustered", points, TESTS, DIMENSION)
    for side, vectors in zip(SIDES, both, strict=True):
        rows = []
        for i, words in enumerate(texts(len(vectors), generator)):
            cut = max(1, len(words) * 4 // 5)  # the last fifth is the answer
            prompt, answer = " ".join(words[:cut]), " ".join(words[cut:])
            turns = [("user", prompt), ("assistant", answer)]
            rows.append(
                {
                    "id": f"{side}-{i}",
                    "task": f"task-{i % TASKS}",
                    "messages": [{"role": role, "content": text} for role, text in turns],
                    "references": [answer],
                }
            )
        write_table(pa.Table.from_pylist(rows, schema=INSTANCES), folder / f"{side}.parquet")
        table = embeddings_table([str(row["id"]) for row in rows], vectors)
        write_table(table, folder / f"{side}-embeddings.parquet")
    for seed in range(PERMUTATIONS):
        columns = {
            "position": np.arange(points, dtype=np.int32),
            "id": [f"train-{i}" for i in generator.permutation(points)],
            "round": [None] * points,
        }
        write_table(pa.table(columns, schema=ARRANGEMENT), folder / f"order-{seed}.parquet")


def main(arguments: argparse.Namespace) -> None:
    folder, points = arguments.folder / str(arguments.points), arguments.points
    inputs = {
        f"--{side}-{what}": folder / f"{side}{suffix}.parquet"
        for side in SIDES
        for what, suffix in (("instances", ""), ("embeddings", "-embeddings"))
    }
    orders = [folder / f"order-{seed}.parquet" for seed in range(PERMUTATIONS)]
    paths = [*inputs.values(), *orders]
    make_once(paths, make, folder, points)
    flags = [word for flag in inputs.items() for word in flag]
    flags += ["--output", folder / "curves.parquet", "--threads", arguments.threads]
    for _ in range(arguments.repeats):
        load = load_before()
        used = [run(SCRIPTS / "similarity.py", *flags, "--arrangement", order) for order in orders]
        seconds = sum(each.wall for each in used)
        reading, product = floors(paths, points, TESTS, DIMENSION, arguments.threads)
        print(
            f"similarity, {PERMUTATIONS} x {points:,} x {TESTS:,} x {DIMENSION}: "
            f"{seconds:.1f} s, {max(each.memory for each in used):.2f} GB   "
            f"floor: read {PERMUTATIONS} times {PERMUTATIONS * reading:.1f} s, one product each "
            f"{PERMUTATIONS * product:.1f} s   "
            f"ratio {PERMUTATIONS * (reading + product) / seconds:.2f}   ({load})",
            flush=True,
        )


if __name__ == "__main__":
    flags = parser(__doc__, 1, "runs, each reported")
    add = flags.add_argument
    add("--points", type=int, default=28_751, help="training points")
    add("--threads", type=int, default=2, help="CPU threads")
    folder = Path(gettempdir()) / "nearfirst-similarity"
    add("--folder", type=Path, default=folder, help="where the tables are kept")
    main(flags.parse_args())
