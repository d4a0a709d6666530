"""Evaluation of 20 checkpoints against the bare forward pass, and against the obvious way.

Needs the artifacts of `snakemake results/fig4_flan.pdf` with `preset: mini`. The stage is main() of
`evaluate.py`: reading, loading, writing, all but its imports. The obvious way is a process for each
checkpoint (obvious.py), its imports included, as they are on our side of that comparison. What the
numbers mean: benchmarks/README.md.
"""

import argparse
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from nearfirst.common.batching import batches
from nearfirst.data.instances import read_instances
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import checkpoints, load, template
from nearfirst.model.logits import pad
from nearfirst.model.settings import TemplateSettings

REPOSITORY = Path(__file__).parents[1]
PROGRAM = REPOSITORY / "workflow/scripts/evaluate.py"
CHECKPOINTS = 20
GOAL_BARE, GOAL_OBVIOUS = 0.8, 10


def cpu() -> float:
    """Return the CPU seconds of this process and of those it has waited for."""
    return sum(os.times()[:4])


def timed(work: Callable[[], object]) -> np.ndarray:
    """Return seconds of the wall clock, and of the CPU, which other work disturbs less."""
    since, used = time.perf_counter(), cpu()
    work()
    return np.array([time.perf_counter() - since, cpu() - used])


def of_the_bare_pass(arguments: argparse.Namespace, folder: Path, output: Path) -> None:
    """Report the stage against forward passes of the same batches, without loading anything."""
    settings = EvaluateSettings(threads=1)
    torch.set_num_threads(settings.threads)
    tokenizer = load.load_tokenizer(str(arguments.results / "model"))
    model = load.load_model(str(arguments.results / "model")).eval()
    table = read_instances(arguments.results / arguments.instances)
    _, tokens = template.labelled(table, tokenizer, arguments.max_length)
    padded = [
        pad([tokens[i] for i in batch])
        for batch in batches([len(item.ids) for item in tokens], settings.batch_tokens)
    ]
    main = runpy.run_path(str(PROGRAM))["main"]
    given = argparse.Namespace(
        model=str(arguments.results / "model"),
        revision=None,
        instances=arguments.results / arguments.instances,
        checkpoints=folder,
        output=output,
        settings=settings,
        template=TemplateSettings(max_length=arguments.max_length),
    )

    @torch.inference_mode()
    def bare(label_only: bool) -> None:
        for _ in range(CHECKPOINTS):
            for batch in padded:
                if label_only:
                    hidden = model.base_model(batch["input_ids"], use_cache=False).last_hidden_state
                    model.lm_head(hidden[batch["labels"] >= 0])
                else:
                    model(input_ids=batch["input_ids"], use_cache=False)

    works: list[Callable[[], Any]] = [lambda: main(given), lambda: bare(False), lambda: bare(True)]
    # In turns, so that other work on the machine meets all of them; the first turn warms up.
    turns = [[timed(work) for work in works] for _ in range(arguments.repeats + 1)][1:]
    ours, every, few = (np.min(times, axis=0) for times in zip(*turns, strict=True))
    count = CHECKPOINTS * sum(len(item.ids) for item in tokens)
    for i, clock in enumerate(("wall clock", "CPU")):
        print(
            f"evaluation, {CHECKPOINTS} checkpoints, {count:,} tokens, {clock}: "
            f"{count / ours[i]:,.0f} tokens/s   bare forward pass, all logits "
            f"{count / every[i]:,.0f}: ratio {every[i] / ours[i]:.2f}, goal {GOAL_BARE}   logits "
            f"of labels only {count / few[i]:,.0f}: ratio {few[i] / ours[i]:.2f}",
            flush=True,
        )


def program(*command: object) -> np.ndarray:
    """Return what `timed` does of a program, from its start to its end."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow")}
    line = [sys.executable, *map(str, command)]
    return timed(lambda: subprocess.run(line, env=environment, check=True, capture_output=True))


def of_the_obvious_way(arguments: argparse.Namespace, folder: Path, output: Path) -> None:
    """Report one program for all checkpoints against a program for each."""
    both = [
        *("--model", arguments.results / "model"),
        *("--instances", arguments.results / arguments.instances),
    ]
    template = TemplateSettings(max_length=arguments.max_length).canonical()
    turns = [
        program(
            *(PROGRAM, *both, "--checkpoints", folder, "--output", output),
            *("--settings", EvaluateSettings(threads=1).canonical(), "--template", template),
        )
        for _ in range(arguments.repeats)
    ]
    ours = np.min(turns, axis=0)
    losses = pq.read_table(output).to_pandas()
    chosen = checkpoints.checkpoints_in(folder)[:: CHECKPOINTS // arguments.obvious]
    for to in ("full", "longest"):
        times = []
        for step in chosen[: arguments.obvious]:
            times.append(
                program(
                    *(REPOSITORY / "benchmarks/obvious.py", *both, "--checkpoint", step),
                    *("--max-length", arguments.max_length, "--to", to),
                    *("--output", output.with_suffix(".npy")),
                )
            )
            same = losses["step"] == int(step.name.removeprefix("step-"))
            theirs = np.load(output.with_suffix(".npy"))
            np.testing.assert_allclose(theirs, losses[same]["loss"], rtol=0, atol=1e-4)
        each = np.min(times, axis=0)
        for i, clock in enumerate(("wall clock", "CPU")):
            print(
                f"evaluation, {CHECKPOINTS} checkpoints, as a program, {clock}: {ours[i]:.1f} s   "
                f"obvious way, padded to the {to} length: {CHECKPOINTS} times {each[i]:.1f} s, the "
                f"shortest of {len(times)}   ratio {CHECKPOINTS * each[i] / ours[i]:.1f}, "
                f"goal {GOAL_OBVIOUS}",
                flush=True,
            )


def main(arguments: argparse.Namespace) -> None:
    run = min((arguments.results / "checkpoints/flan").glob("*/seed-0/*"))
    with tempfile.TemporaryDirectory() as temporary:
        folder, output = Path(temporary) / "checkpoints", Path(temporary) / "losses.parquet"
        folder.mkdir()
        for step in checkpoints.checkpoints_in(run)[:CHECKPOINTS]:
            (folder / step.name).symlink_to(step.absolute())
        for measure in (of_the_bare_pass, of_the_obvious_way):
            print(f"load {os.getloadavg()[0]:.1f} before", flush=True)
            measure(arguments, folder, output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--results", type=Path, default=Path("results"), help="of a finished run of mini")
    add("--instances", default="instances/flan/specialist-0.parquet", help="below --results")
    add("--max-length", type=int, default=512, help="tokens of an instance, as in mini")
    add("--repeats", type=int, default=3, help="runs of which the best counts")
    add("--obvious", type=int, default=3, help="checkpoints evaluated in the obvious way")
    main(parser.parse_args())
