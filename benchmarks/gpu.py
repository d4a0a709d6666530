"""Check the workflow on one GPU: first whether results are exact, then how fast it is.

Llamas with random weights, in the shapes of SmolLM2-135M, Llama-3.2-1B and LLaMA-2-7B, are trained,
evaluated and sampled by the workflow's own functions. Each row is printed as soon as it is
measured; at the end come all of them, as the tables of benchmarks/README.md, which explains them.
Each section has processes of its own: if one fails, is killed or takes too long, the others run on.
It needs neither a network nor Snakemake.
"""

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from gpu_checks import (
    evaluation_loss,
    offload,
    repeated,
    resumed,
    skipped_steps,
    training_loss,
    two_processes,
)
from gpu_setup import Setup, machine, products
from gpu_speed import evaluation, generation, training
from sections import Cells, Section, measure, table

from nearfirst.common.errors import InputError
from nearfirst.model.adapter_settings import AdapterSettings
from nearfirst.model.device import device
from nearfirst.model.visible_gpus import keep_one_gpu

LONGEST = 1 / 3
"""Share of the time that a section may take, so that one that hangs leaves time for the others."""
SHORTEST = 10
"""Seconds that must be left to begin a section: its imports take as long."""

CHECKS = [
    Section("machine", {"machine": machine, "matrix products in bfloat16": products}),
    Section(
        "checks",
        {
            "loss, trained in bfloat16": partial(training_loss, precision="bfloat16"),
            "loss, evaluated in bfloat16": partial(evaluation_loss, precision="bfloat16"),
            "two runs the same bytes": partial(repeated, exact=True),
            "two runs the same bytes, deterministic: false": partial(repeated, exact=False),
            "resumed, the same bytes": partial(resumed, precision="bfloat16"),
            "float16, steps skipped": skipped_steps,
            "float16, resumed, the same bytes": partial(resumed, precision="float16"),
        },
    ),
    Section(
        "fsdp",
        {
            "FSDP with offload against none, float32": offload,
            "FSDP, resumed, the same bytes": partial(resumed, precision="bfloat16", offload=True),
            "FSDP, float16, steps skipped": partial(skipped_steps, offload=True),
            "FSDP, float16, resumed, the same bytes": partial(
                resumed, precision="float16", offload=True
            ),
        },
        processes=1,
    ),
    Section("two-processes", {"two processes against one, float32": two_processes}, processes=2),
]


def _speed(name: str) -> Section:
    rows = {
        "training": partial(training, name=name),
        "training, deterministic: false": partial(training, name=name, exact=False),
        "training of an adapter": partial(training, name=name, adapter=AdapterSettings()),
        "evaluation": partial(evaluation, name=name),
        "generation": partial(generation, name=name),
    }
    if name == "7B":  # minutes are short
        del rows["training, deterministic: false"]
    return Section(name, {f"{name}, {row}": work for row, work in rows.items()})


SPEED = [
    *map(_speed, ("135M", "1B", "7B")),
    Section(
        "offload",
        {
            f"{name}, training with offload": partial(training, name=name, offload=True)
            for name in ("1B", "7B")
        },
        processes=1,
    ),
]
TABLES = [
    (["check", "found"], CHECKS),
    (["model", "tokens/s", "bare", "ratio", "MFU", "GB", "GB, bare"], SPEED),
]


def main(arguments: argparse.Namespace) -> None:
    began, seconds = time.monotonic(), 60 * arguments.minutes
    if arguments.cpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        torch.set_num_threads(1)
    keep_one_gpu()
    try:
        if device().type == "cpu" and not arguments.cpu:
            sys.exit("error: no GPU here; --cpu tries the program with tiny models")
    except InputError as error:
        sys.exit(f"error: {error}")
    texts = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        setup = Setup(Path(folder), arguments.cpu, arguments.peak_tflops)
        for head, sections in TABLES:
            rows: list[tuple[str, Cells]] = []
            for section in sections:
                left = seconds - (time.monotonic() - began)
                if arguments.sections and section.name not in arguments.sections:
                    rows += [(name, ["skipped: not asked for"]) for name in section.rows]
                    continue
                if left < SHORTEST:
                    print(f"section {section.name} skipped: no time left", flush=True)
                    rows += [(name, ["skipped: no time left"]) for name in section.rows]
                    continue
                limit = min(left, LONGEST * seconds)
                for name, cells in measure(section, setup, limit, fork=arguments.cpu):
                    rows.append((name, cells))
                    spent = time.monotonic() - began
                    print(f"{spent:4.0f} s  {name}: {'  '.join(cells)}", flush=True)
            texts.append(table(head, rows))
    print("", *texts, sep="\n\n")


if __name__ == "__main__":
    names = [section.name for _, sections in TABLES for section in sections]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--minutes", type=float, default=7.5, help="time for sections; imports come on top")
    add("--sections", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    add("--peak-tflops", type=float, help="of the card, for MFU; default: by its name, or measured")
    add("--cpu", action="store_true", help="try the program with tiny models: measures nothing")
    main(parser.parse_args())
