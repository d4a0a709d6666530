"""Evaluation of 20 checkpoints, compared with bare forward passes and with the obvious way.

Needs the results of `snakemake results/fig4_flan.pdf` with `preset: mini`. The comparison with
forward passes leaves out the imports of `evaluate.py`. The obvious way is one program for each
checkpoint (obvious.py); there, imports count on both sides.
benchmarks/README.md explains the numbers.
"""

import argparse
import runpy
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow.parquet as pq
import torch
from shared import CLOCKS, REPOSITORY, SCRIPTS, fastest, load_before, parser, run

from nearfirst.common.batching import batches
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import load, template
from nearfirst.model.checkpoints import checkpoints_in
from nearfirst.model.logits import pad
from nearfirst.model.settings import TemplateSettings

PROGRAM = SCRIPTS / "evaluate.py"
SETTINGS = EvaluateSettings(threads=1)
CHECKPOINTS = 20
GOAL_BARE, GOAL_OBVIOUS = 0.8, 10


def compare_with_forward_passes(arguments: argparse.Namespace, flags: list[str]) -> None:
    """Compare `evaluate.py` with passes of the same batches that load no checkpoint."""
    torch.set_num_threads(SETTINGS.threads)
    model_folder = str(arguments.results / "model/seed-0")
    model = load.load_model(model_folder).eval()
    tokenizer = load.load_tokenizer(model_folder)
    settings = TemplateSettings(max_length=arguments.max_length)
    path = arguments.results / arguments.instances
    _, tokens, _ = template.read_labelled(path, tokenizer, settings)
    padded = [
        pad([tokens[i] for i in batch])
        for batch in batches([len(item.ids) for item in tokens], SETTINGS.batch_tokens)
    ]

    def ours() -> None:
        with patch.object(sys, "argv", [str(PROGRAM), *flags]), redirect_stderr(StringIO()) as log:
            try:
                runpy.run_path(str(PROGRAM), run_name="__main__")
            except SystemExit:
                sys.exit(log.getvalue())

    @torch.inference_mode()
    def passes(labels_only: bool) -> None:
        for _ in range(CHECKPOINTS):
            for batch in padded:
                if labels_only:
                    hidden = model.base_model(batch["input_ids"], use_cache=False).last_hidden_state
                    model.lm_head(hidden[batch["labels"] >= 0])
                else:
                    model(input_ids=batch["input_ids"], use_cache=False)

    ways: list[Callable[[], None]] = [ours, lambda: passes(False), lambda: passes(True)]
    count = CHECKPOINTS * sum(len(item.ids) for item in tokens)
    for clock, mine, full, labels in zip(CLOCKS, *fastest(ways, arguments.repeats), strict=True):
        print(
            f"evaluation, {CHECKPOINTS} checkpoints, {count:,} tokens, {clock}: "
            f"{count / mine:,.0f} tokens/s   bare forward pass, all logits {count / full:,.0f}: "
            f"ratio {full / mine:.2f}, goal {GOAL_BARE}   logits of labels only "
            f"{count / labels:,.0f}: ratio {labels / mine:.2f}",
            flush=True,
        )


def compare_with_the_obvious_way(arguments: argparse.Namespace, flags: list[str]) -> None:
    """Compare one program for all checkpoints with one for each."""
    named = dict(zip(flags[::2], flags[1::2], strict=True))
    mine = np.min([run(PROGRAM, *flags) for _ in range(arguments.repeats)], axis=0)
    losses = pq.read_table(named["--output"]).to_pandas()
    chosen = checkpoints_in(Path(named["--checkpoints"]))[:: CHECKPOINTS // arguments.obvious]
    for to in ("full", "longest"):
        times = []
        for step in chosen[: arguments.obvious]:
            output = Path(named["--output"]).with_suffix(".npy")
            shared = (flag for name in ("--model", "--instances") for flag in (name, named[name]))
            own = ("--checkpoint", step, "--max-length", arguments.max_length, "--output", output)
            times.append(run(REPOSITORY / "benchmarks/obvious.py", *shared, *own, "--to", to))
            same = losses["step"] == int(step.name.removeprefix("step-"))
            np.testing.assert_allclose(np.load(output), losses[same]["loss"], rtol=0, atol=1e-4)
        for clock, one, each in zip(CLOCKS, mine, np.min(times, axis=0), strict=False):
            print(
                f"evaluation, {CHECKPOINTS} checkpoints, as a program, {clock}: {one:.1f} s   "
                f"obvious way, padded to the {to} length: {CHECKPOINTS} times {each:.1f} s, the "
                f"shortest of {len(times)}   ratio {CHECKPOINTS * each / one:.1f}, "
                f"goal {GOAL_OBVIOUS}",
                flush=True,
            )


def main(arguments: argparse.Namespace) -> None:
    trained = min((arguments.results / "checkpoints/flan").glob("*/seed-0/*"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "checkpoints"
        folder.mkdir()
        for step in checkpoints_in(trained)[:CHECKPOINTS]:
            (folder / step.name).symlink_to(step.absolute())
        flags = {
            "--model": arguments.results / "model/seed-0",
            "--instances": arguments.results / arguments.instances,
            "--checkpoints": folder,
            "--output": Path(temporary) / "losses.parquet",
            "--settings": SETTINGS.canonical(),
            "--template": TemplateSettings(max_length=arguments.max_length).canonical(),
        }
        command_line = [str(word) for flag in flags.items() for word in flag]
        for compare in (compare_with_forward_passes, compare_with_the_obvious_way):
            print(load_before(), flush=True)
            compare(arguments, command_line)


if __name__ == "__main__":
    flags = parser(__doc__, 3, "runs, of which the best counts")
    add = flags.add_argument
    add("--results", type=Path, default=Path("results"), help="of a finished run of mini")
    add("--instances", default="instances/flan/specialist-0.parquet", help="below --results")
    add("--max-length", type=int, default=512, help="tokens of an instance, as in mini")
    add("--obvious", type=int, default=3, help="checkpoints evaluated in the obvious way")
    main(flags.parse_args())
