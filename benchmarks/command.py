"""Time `nearfirst arrange`, from file to file, on a pool whose embeddings are cached.

Makes a seeded pool and prompts under --folder once, and fills the cache with made-up embeddings.
benchmarks/README.md explains the numbers.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import numpy as np
from shared import REPOSITORY, load_before, make_once, parser, run
from tma import embeddings

from nearfirst.embed.cache import Cache
from nearfirst.embed.kinds.text import Settings
from nearfirst.embed.registry import BLOCK, Represented

PROGRAM = REPOSITORY / "workflow/nearfirst/command/main.py"
WORDS = 140


def rows(name: str, count: int) -> Iterator[dict[str, str]]:
    """Yield rows with a prompt and a completion, `WORDS` words in all."""
    generator = np.random.default_rng(len(name))
    for number in range(count):
        words = [f"w{word}" for word in generator.integers(50_000, size=WORDS)]
        yield {"prompt": f"{number} {' '.join(words[:40])}", "completion": " ".join(words[40:])}


def make(paths: list[Path], sizes: tuple[int, int], cache: Path) -> None:
    cached = Cache(cache, Settings())
    matrices = embeddings("clustered", *sizes, 384)
    for path, count, vectors in zip(paths, sizes, matrices, strict=True):
        pool = list(rows(path.stem, count))
        path.write_text("".join(f"{json.dumps(row)}\n" for row in pool))
        texts = [f"{row['prompt']} {row['completion']}" for row in pool]
        for start in range(0, count, BLOCK):
            block = slice(start, start + BLOCK)
            cached.put(texts[block], Represented(vectors[block], 0, 256))


def main(arguments: argparse.Namespace) -> None:
    sizes = arguments.rows, arguments.prompts
    folder = arguments.folder / "-".join(map(str, sizes))
    pool, prompts = paths = [folder / "pool.jsonl", folder / "prompts.jsonl"]
    cache = folder / "cache"
    make_once([*paths, cache], make, paths, sizes, cache)
    output = folder / f"ordered{arguments.suffix}"
    for _ in range(arguments.repeats):
        load = load_before()
        flags = ("--for", prompts, "--output", output, "--cache", cache)
        used = run(PROGRAM, "arrange", pool, *flags)
        print(
            f"nearfirst arrange, {sizes[0]:,} x {sizes[1]:,}, to {arguments.suffix}: wall clock "
            f"{used.wall:.1f} s, CPU {used.cpu:.1f} s, {used.memory:.2f} GB ({load})",
            flush=True,
        )


if __name__ == "__main__":
    flags = parser(__doc__, 1, "runs, each reported")
    add = flags.add_argument
    add("--rows", type=int, default=100_000, help="of the pool")
    add("--prompts", type=int, default=1_000)
    add("--suffix", choices=[".jsonl", ".parquet"], default=".jsonl", help="of the output")
    folder = Path(gettempdir()) / "nearfirst-command"
    add("--folder", type=Path, default=folder, help="where the files are kept")
    main(flags.parse_args())
