"""What one GPU makes of the workflow: first whether results are exact, then how fast it is.

Llamas of random weights and of the shapes of SmolLM2-135M, Llama-3.2-1B and LLaMA-2-7B train,
are evaluated and answer by the workflow's own functions. What is measured is printed row by row,
and all of it once more at the end, as the tables of benchmarks/README.md, which says what each row
means. Sections run in processes of their own: one that fails, is killed or takes too long leaves
the others alone. It needs no network and no Snakemake, only PyTorch, `transformers`, `accelerate`,
`peft`, `pyarrow` and `pydantic`.
"""

import argparse
import gc
import logging
import multiprocessing
import os
import platform
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from random_llama import SHAPES, empty_tokenizer, instances, llama

from nearfirst import memory
from nearfirst.common.batching import batches
from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.evaluate.losses import losses
from nearfirst.generate.answers import generate
from nearfirst.generate.settings import GenerateSettings
from nearfirst.hardware import TrainHardware
from nearfirst.model import adapter, load, visible_gpus
from nearfirst.model.checkpoints import load_weights, step_folder
from nearfirst.model.device import deterministic, device
from nearfirst.model.logits import pad
from nearfirst.model.precision import autocast
from nearfirst.model.template import Tokens
from nearfirst.train.batches import StepBatches, Steps, run_steps
from nearfirst.train.checksums import read_checksums
from nearfirst.train.resume import run_fingerprint
from nearfirst.train.segment import train_segment
from nearfirst.train.settings import TrainSettings

PEAKS = {
    **{"B200": 2250, "H200 NVL": 835, "H200": 989, "H100 NVL": 835, "H100 PCIe": 756, "H100": 989},
    **{"A100": 312, "A800": 312, "L40S": 362, "L4": 121},
}
"""TFLOP/s of dense 16-bit products, as NVIDIA states them, by what a card's name holds."""
LONGEST = 1 / 3
"""Share of the time that a section may take: one that hangs leaves some for the others."""
STEPS, CUT = 20, 10
"""Steps of the runs that are compared, and where those that resume are cut."""
MAX_LENGTH = 1024
"""Tokens kept of an instance."""
ADAPTER = {"rank": 16}


class Size(NamedTuple):
    """A model, and how it trains."""

    shape: dict[str, Any]
    batch_size: int
    micro_batch_tokens: int
    recompute: bool = False


SIZES = {
    "135M": Size(SHAPES["SmolLM2-135M"], 64, 16384),
    "1B": Size(SHAPES["Llama-3.2-1B"], 64, 8192),
    # Weights, gradients and moments are 108 of the 150 GB of an H200.
    "7B": Size(SHAPES["LLaMA-2-7B"], 16, 2048, recompute=True),
}
TINY = Size(
    {
        **{"vocab_size": 500, "hidden_size": 32, "intermediate_size": 64},
        **{"num_hidden_layers": 2, "num_attention_heads": 2, "tie_word_embeddings": True},
    },
    *(16, 4096),
)


class Given(NamedTuple):
    """What every row is given."""

    folder: Path
    cpu: bool = False
    peak: float | None = None
    """TFLOP/s, in place of what the name of the card says."""

    def size(self, name: str) -> Size:
        """Return what a model is like; all are tiny on a CPU."""
        return TINY if self.cpu else SIZES[name]

    def count(self, on_gpu: int, on_cpu: int) -> int:
        """Return the one or the other."""
        return on_cpu if self.cpu else on_gpu


class Row(NamedTuple):
    """A row of a table: `work(given, *arguments)` returns its cells, all but the first."""

    name: str
    work: Callable[..., Sequence[str]]
    arguments: tuple[Any, ...] = ()


class Section(NamedTuple):
    """Rows that are measured one after the other in a process, or in several that work together."""

    name: str
    rows: list[Row]
    processes: int = 0
    """Those of torch.distributed; 0 does without it."""


# Machine


def machine(given: Given) -> list[str]:
    names = "torch", "transformers", "accelerate", "peft", "numpy"
    found = ", ".join(f"{name} {_version(name)}" for name in names)
    cpu = f"{platform.machine()} CPU, {os.cpu_count()} cores, {_host_memory() / 1e9:.0f} GB"
    card = ""
    if not given.cpu:
        size = torch.cuda.get_device_properties(0).total_memory / 1e9
        card = f"{torch.cuda.get_device_name()}, {size:.1f} GB, CUDA {torch.version.cuda}, driver "
        card += f"{visible_gpus.driver() or 'unknown'}; "
    return [f"{card}{cpu}; Python {platform.python_version()}, {found}"]


def _version(name: str) -> str:
    try:
        return version(name)
    except ImportError:  # PackageNotFoundError is one
        return "missing"


def _host_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def products(given: Given) -> list[str]:
    found = _products(given)
    stated = _stated()
    share = "" if stated is None else f", {100 * found / stated:.0f} % of the stated {stated:,}"
    return [f"{found:,.4g} TFLOP/s{share}"]


def _products(given: Given) -> float:
    """Return the TFLOP/s of products of square matrices in bfloat16."""
    size, times = given.count(8192, 256), 10
    one, other = torch.randn(2, size, size, device=device(), dtype=torch.bfloat16)
    for _ in range(3):
        one @ other
    since = _now()
    for _ in range(times):
        one @ other
    return 2 * size**3 * times / (_now() - since) / 1e12


def _stated() -> float | None:
    """Return the stated TFLOP/s of the card; None if it is not in the list."""
    if not torch.cuda.is_available():
        return None
    card = torch.cuda.get_device_name()
    return next((peak for name, peak in PEAKS.items() if name in card), None)


# Checks: runs are made where the first row needs them, and kept in the folder.


def _settings(precision: str, *, exact: bool = True) -> TrainSettings:
    return TrainSettings(
        batch_size=16,
        micro_batch_tokens=4096,
        learning_rate=3e-4,
        precision=precision,
        deterministic=exact,
        checkpoint_every=CUT,
    )


def _base(given: Given) -> Path:
    """Return the folder of the model that all runs begin with: made on the CPU, so always equal."""
    folder = given.folder / "base"
    if not folder.exists():
        torch.manual_seed(0)
        llama(given.size("135M").shape).save_pretrained(folder)
    return folder


def _data(given: Given, count: int, seed: int = 0) -> list[Tokens]:
    vocabulary = given.size("135M").shape["vocab_size"]
    return instances(count, vocabulary, given.count(MAX_LENGTH, 64), seed)


def _train(
    given: Given, name: str, settings: TrainSettings, *, cut: bool = False, offload: bool = False
) -> tuple[Path, Path]:
    """Return the folders of the last checkpoint and of the last state of a run of STEPS steps."""
    hardware = TrainHardware(offload=offload, gpus=int(os.environ.get("WORLD_SIZE", "1")))
    steps = run_steps(_data(given, STEPS * settings.batch_size), settings)
    run = run_fingerprint(settings, steps, ["base"], sharded=hardware.is_sharded())
    before = None
    for start, stop in [(0, CUT), (CUT, STEPS)] if cut else [(0, STEPS)]:
        work = given.folder / f"{name}{', cut' * cut}" / str(start)
        checkpoints, state = work / "checkpoints", work / f"states/checkpoint-{stop}"
        if not read_checksums(state):
            model = load.load_model(str(_base(given)))
            with deterministic(settings.deterministic):
                checkpoints, state = train_segment(
                    *(model, empty_tokenizer(), steps, settings, hardware),
                    **{"start": start, "stop": stop, "before": before, "work": work, "run": run},
                )
        before = state
    return step_folder(checkpoints, STEPS), state


def _same(one: tuple[Path, Path], other: tuple[Path, Path]) -> list[str]:
    """Say whether two runs have written the same bytes; 'NO' names the files that differ."""

    def sums(run: tuple[Path, Path]) -> dict[str, str]:
        checkpoint, state = run
        # FSDP's optimizer.bin has its betas as a list or as a tuple; later weights show a moment.
        its = {k: v for k, v in _facts(state)["sha256"].items() if k != "optimizer.bin"}
        return its | {"checkpoint": sha256(checkpoint / "model.safetensors")}

    ours, theirs = sums(one), sums(other)
    wrong = sorted(name for name in ours | theirs if ours.get(name) != theirs.get(name))
    return [f"NO: {', '.join(wrong)}" if wrong else f"yes ({len(ours)} files)"]


def _facts(state: Path) -> dict[str, Any]:
    found = read_checksums(state)
    if not found:
        raise InputError(f"{state.name}: no checksums")
    return found


def precisions(given: Given) -> list[str]:
    """Compare runs in bfloat16 and float32, both evaluated in float32."""
    runs = {name: _train(given, name, _settings(name))[0] for name in ("float32", "bfloat16")}
    exact, found = (_loss(given, runs[name], "float32") for name in runs)
    first = _loss(given, _base(given), "float32")
    return [f"{found:.4f}, {exact:.4f} in float32: {_percent(found, exact)} ({first:.4f} before)"]


def evaluated(given: Given) -> list[str]:
    checkpoint, _ = _train(given, "float32", _settings("float32"))
    exact, found = (_loss(given, checkpoint, name) for name in ("float32", "bfloat16"))
    return [f"{found:.4f}, {exact:.4f} in float32: {_percent(found, exact)}"]


def _percent(found: float, exact: float) -> str:
    return f"{100 * (found / exact - 1):+.3f} %"


def _loss(given: Given, checkpoint: Path, precision: str) -> float:
    """Return the mean loss of instances that were not trained on."""
    model = load.empty_model(str(_base(given)))
    load_weights(model, checkpoint)
    with autocast(precision):
        found = losses(model, _data(given, 64, seed=1), 4096)
    if not np.isfinite(found).all():
        raise InputError("the run diverged")
    return float(found.mean())


def resumed(given: Given, precision: str) -> list[str]:
    settings = _settings(precision)
    whole = _train(given, precision, settings)
    return _same(whole, _train(given, precision, settings, cut=True))


def twice(given: Given, exact: bool) -> list[str]:
    settings = _settings("bfloat16", exact=exact)
    first = "bfloat16" if exact else "bfloat16, free"
    return _same(*(_train(given, name, settings) for name in (first, f"{first}, again")))


def skipped(given: Given, offload: bool = False) -> list[str]:
    run = (
        _offloaded(given, "float16") if offload else _train(given, "float16", _settings("float16"))
    )
    return [f"{_facts(run[1])['skipped_steps']} of {STEPS}"]


def _offloaded(given: Given, precision: str, *, cut: bool = False) -> tuple[Path, Path]:
    return _train(given, f"FSDP, {precision}", _settings(precision), cut=cut, offload=True)


def resumed_offloaded(given: Given, precision: str) -> list[str]:
    return _same(*(_offloaded(given, precision, cut=cut) for cut in (False, True)))


def offloaded(given: Given) -> list[str]:
    plain = _plain(given)
    return _apart(given, plain, _offloaded(given, "float32")[0])


def two_processes(given: Given) -> list[str]:
    if not given.cpu:
        return ["not possible: NCCL takes one process a card"]
    plain = _plain(given)
    return _apart(given, plain, _train(given, "two", _settings("float32"))[0])


def _plain(given: Given) -> Path:
    """Return the last checkpoint of one process without FSDP, which has other surroundings."""
    found = step_folder(given.folder / "float32/0/checkpoints", STEPS)
    if not found.exists():
        raise InputError("no run without FSDP to compare with; section 'checks' makes it")
    return found


def _apart(given: Given, plain: Path, checkpoint: Path) -> list[str]:
    """Say how far the weights of two runs in float32 are apart."""
    one, other, before = (
        load.load_model(str(folder)).state_dict() for folder in (plain, checkpoint, _base(given))
    )
    apart, moved = (
        max(float((one[name] - its[name]).abs().max()) for name in one) for its in (other, before)
    )
    return [f"weights at most {apart:.1e} apart, moved by up to {moved:.1e}"]


# Speed


def training(
    given: Given,
    name: str,
    form: dict[str, int] | None = None,
    exact: bool = True,
    offload: bool = False,
) -> list[str]:
    size = given.size(name)
    first, timed = (2, 5) if offload else (given.count(5, 1), given.count(20, 2))
    settings = TrainSettings(
        batch_size=size.batch_size,
        micro_batch_tokens=size.micro_batch_tokens,
        precision="bfloat16",
        deterministic=exact,
        adapter=form,
        checkpoint_every=10**6,
    )
    hardware = TrainHardware(offload=offload, recompute_activations=size.recompute and not form)
    _check_memory(size, settings, hardware)
    count = (first + timed + 2) * size.batch_size
    tokens = instances(count, size.shape["vocab_size"], MAX_LENGTH)
    steps = TimedSteps(run_steps(tokens, settings), first, first + timed)
    model = _model(size, settings)
    work = given.folder / "speed"
    _forget_peak()
    with deterministic(settings.deterministic), suppress(TimedError):
        train_segment(
            model.cpu() if offload else model,
            *(empty_tokenizer(), steps, settings, hardware),
            **{"start": 0, "stop": len(steps), "before": None, "work": work, "run": name},
        )
    found = _peak_memory()
    shutil.rmtree(work, ignore_errors=True)  # while the checkpoint of step 0 may still be written
    del model
    _forget_peak()
    bare = _bare_training(size, settings, hardware, steps)
    counted = [item for step in steps.steps[first : first + timed] for item in step]
    # Frozen weights have no gradients: only those of activations are computed.
    work_done = (2 if form else 3) * _operations(
        size, counted, sum(t.label_tokens for t in counted)
    )
    real = sum(len(item.ids) for item in counted)
    return _cells(given, real, steps.seconds, bare, work_done, found)


class TimedError(Exception):
    """All steps to be timed are done."""


class TimedSteps(Steps):
    """The steps of a run; it ends when those after the first `first`, up to `last`, are timed.

    The Trainer reads a step ahead: when it reads that of index i, i - 1 steps are done.
    """

    def __init__(self, steps: Steps, first: int, last: int) -> None:
        self.steps, self.first, self.last = steps, first, last
        self.since = self.seconds = 0.0

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, at: Any) -> Any:
        """Return the instances of a step; raises TimedError where it all ends."""
        if at == self.first + 1:
            self.since = _now()
        elif at == self.last + 1:
            self.seconds = _now() - self.since
            raise TimedError  # before a state is saved
        return self.steps[at]


def _bare_training(
    size: Size, settings: TrainSettings, hardware: TrainHardware, steps: TimedSteps
) -> tuple[float, float]:
    """Return seconds and memory of forward and backward passes alone, over the same micro-batches.

    All logits, no clipping, no optimizer, nothing deterministic, all on the card.
    """
    model = _model(size, settings).train()
    if hardware.recompute_activations:
        model.gradient_checkpointing_enable()
    passes = StepBatches(steps.steps, settings, 1)
    for number in range(steps.last):
        if number == steps.first:
            since = _now()
        for batch in passes[number]["passes"]:
            inputs = {key: tensor.to(device()) for key, tensor in batch.items()}
            with autocast(settings.precision):
                loss = model(**inputs, use_cache=False).loss
            loss.backward()
        model.zero_grad()
    return _now() - since, _peak_memory()


def _model(size: Size, settings: TrainSettings | None = None) -> Any:
    torch.manual_seed(0)
    with device():
        model = llama(size.shape)
    if settings and settings.adapter:
        adapter.add_adapter(model, settings.adapter)
        model.to(device())
    return model


def _check_memory(size: Size, settings: TrainSettings, hardware: TrainHardware) -> None:
    """Raise InputError if card or host is too small, before a model is made."""
    if not torch.cuda.is_available():
        return
    its = memory.Shape(
        _empty(size).num_parameters(),
        *(size.shape[key] for key in ("hidden_size", "num_hidden_layers", "vocab_size")),
    )
    job = memory.Training(
        *(settings.precision, size.micro_batch_tokens, hardware.gpus, hardware.offload),
        hardware.recompute_activations,
        memory.adapter_parameters(its, settings.adapter.rank) if settings.adapter else None,
    )
    memory.check_fits(its, job, torch.cuda.get_device_properties(0).total_memory)
    needed, there = memory.cpu_memory(its, job), _host_memory()
    if needed > there:
        raise InputError(f"{needed / 1e9:.0f} GB of host memory; here are {there / 1e9:.0f}")


def evaluation(given: Given, name: str) -> list[str]:
    size, budget = given.size(name), 16384
    tokens = instances(given.count(512, 64), size.shape["vocab_size"], MAX_LENGTH)
    model = _model(size).eval()

    def bare(part: Sequence[Tokens]) -> None:
        with torch.inference_mode():
            for batch in batches([len(item.ids) for item in part], budget):
                ids = pad([part[i] for i in batch])["input_ids"]
                model(input_ids=ids.to(device()), use_cache=False)

    def ours(part: Sequence[Tokens]) -> None:
        losses(model, part, budget)

    (seconds, peak), plain = (_timed(work, tokens, tokens[:64]) for work in (ours, bare))
    done = _operations(size, tokens, sum(item.label_tokens for item in tokens))
    real = sum(len(item.ids) for item in tokens)
    return _cells(given, real, seconds, plain, done, peak)


def generation(given: Given, name: str) -> list[str]:
    size, rows = given.size(name), given.count(32, 4)
    settings = GenerateSettings(precision="bfloat16", max_new_tokens=given.count(64, 8))
    tokens = instances(rows, size.shape["vocab_size"], given.count(MAX_LENGTH, 64))
    prompts = [item.ids for item in tokens]
    model = _model(size).eval()
    written = 0

    def ours(part: Sequence[Any]) -> None:
        nonlocal written
        answers = generate(
            *(model, part, [str(i) for i in range(len(part))], settings),
            **{"step": 0, "run_seed": 0, "batch_size": rows, "ends": [0]},
        )
        written = sum(len(answer.tokens) for answer in answers)

    def bare(part: Sequence[Any]) -> None:
        width = max(map(len, part))
        ids, mask = torch.zeros(2, len(part), width, dtype=torch.long)
        for row, prompt in enumerate(part):
            ids[row, width - len(prompt) :] = torch.from_numpy(prompt)
            mask[row, width - len(prompt) :] = 1
        ids, mask, cache = ids.to(device()), mask.to(device()), None
        with torch.inference_mode():
            for _ in range(settings.max_new_tokens):
                output = model(
                    **{"input_ids": ids, "attention_mask": mask, "past_key_values": cache},
                    **{"use_cache": True, "logits_to_keep": 1},
                )
                cache, ids = output.past_key_values, output.logits[:, -1:].argmax(-1)
                mask = torch.nn.functional.pad(mask, (0, 1), value=1)

    (seconds, peak), plain = (_timed(work, prompts, prompts[:2]) for work in (ours, bare))
    # The bare passes write all tokens, even after an end.
    share = written / (rows * settings.max_new_tokens)
    done = _operations(size, tokens, 0) + written * 2 * _matrices(size, head=True)
    return _cells(given, written, seconds, (plain[0] * share, plain[1]), done, peak)


def _timed(work: Callable[[Any], None], whole: Any, part: Any) -> tuple[float, float]:
    """Return seconds and peak memory of work in bfloat16, after a part of it."""
    with autocast("bfloat16"):
        work(part)
        _forget_peak()
        since = _now()
        work(whole)
        return _now() - since, _peak_memory()


def _empty(size: Size) -> Any:
    with torch.device("meta"):
        return llama(size.shape)


def _matrices(size: Size, *, head: bool) -> int:
    """Return the parameters of the linear layers, the output's among them or not."""
    model = _empty(size)
    return sum(
        its.weight.numel()
        for its in (model if head else model.model).modules()
        if isinstance(its, torch.nn.Linear)
    )


def _operations(size: Size, tokens: Sequence[Tokens], logits: int) -> float:
    """Return the operations of a forward pass over instances, with logits at some positions.

    2 n M + 2 n² L H for an instance of n tokens, M parameters in matrices and L layers of width H:
    causal attention looks at half of all pairs.
    """
    lengths = np.array([len(item.ids) for item in tokens], dtype=float)
    width = size.shape["hidden_size"]
    attention = 2 * (lengths**2).sum() * size.shape["num_hidden_layers"] * width
    head = 2 * logits * width * size.shape["vocab_size"]
    return float(2 * lengths.sum() * _matrices(size, head=False) + attention + head)


def _cells(
    given: Given,
    tokens: int,
    seconds: float,
    bare: tuple[float, float],
    operations: float,
    peak: float,
) -> list[str]:
    """Return tokens a second, those of the bare passes, ratio, MFU and the memory of both."""
    stated = given.peak or _stated() or _products(given)
    return [
        *(f"{tokens / seconds:,.0f}", f"{tokens / bare[0]:,.0f}", f"{bare[0] / seconds:.2f}"),
        f"{100 * operations / seconds / stated / 1e12:.3g} %",
        *(f"{its / 1e9:.1f}" if torch.cuda.is_available() else "-" for its in (peak, bare[1])),
    ]


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def _forget_peak() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _peak_memory() -> float:
    """Return the largest number of bytes that tensors took on the card."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0


# Sections

CHECKS = [
    Section("machine", [Row("machine", machine), Row("matrix products in bfloat16", products)]),
    Section(
        "checks",
        [
            Row("loss, trained in bfloat16", precisions),
            Row("loss, evaluated in bfloat16", evaluated),
            Row("bfloat16: two runs the same bytes", twice, (True,)),
            Row("bfloat16: resumed, the same bytes", resumed, ("bfloat16",)),
            Row("bfloat16, deterministic: false: two runs the same bytes", twice, (False,)),
            Row("float16: steps skipped", skipped),
            Row("float16: resumed, the same bytes", resumed, ("float16",)),
        ],
    ),
    Section(
        "fsdp",
        [
            Row("FSDP with offload against none, float32", offloaded),
            Row("FSDP, bfloat16: resumed, the same bytes", resumed_offloaded, ("bfloat16",)),
            Row("FSDP, float16: steps skipped", skipped, (True,)),
            Row("FSDP, float16: resumed, the same bytes", resumed_offloaded, ("float16",)),
        ],
        processes=1,
    ),
    Section("two-processes", [Row("two processes against one, float32", two_processes)], 2),
]


def _speed(name: str, *more: Row) -> Section:
    rows = [
        Row(f"{name}, training", training, (name,)),
        *more,
        Row(f"{name}, training of an adapter", training, (name, ADAPTER)),
        Row(f"{name}, evaluation", evaluation, (name,)),
        Row(f"{name}, generation", generation, (name,)),
    ]
    return Section(name, rows)


SPEED = [
    _speed("135M"),
    _speed("1B", Row("1B, training, deterministic: false", training, ("1B", None, False))),
    _speed("7B"),
    Section(
        "offload",
        [
            Row(f"{name}, training with offload", training, (name, None, True, True))
            for name in ("1B", "7B")
        ],
        processes=1,
    ),
]
TABLES = [
    (["check", "found"], CHECKS),
    (["model", "tokens/s", "bare", "ratio", "MFU", "GB", "bare"], SPEED),
]


def measure(section: Section, given: Given, limit: float) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield name and cells of each row, for at most `limit` seconds.

    What is not measured has one cell, the reason.
    """
    # CUDA does not survive a fork; without it, forks save the imports.
    context = multiprocessing.get_context("forkserver" if given.cpu else "spawn")
    if given.cpu:
        context.set_forkserver_preload(["nearfirst.train.segment", "peft", "torch.testing"])
    reader, writer = context.Pipe(duplex=False)
    ranks = range(max(section.processes, 1))
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    world = {"WORLD_SIZE": str(len(ranks)), "LOCAL_WORLD_SIZE": str(len(ranks)), **address}
    started = []
    for rank in ranks:
        own = {"RANK": str(rank), "LOCAL_RANK": str(rank), **world} if section.processes else {}
        started.append(context.Process(target=_child, args=(section, given, writer, rank, own)))
        started[-1].daemon = True
        started[-1].start()
    writer.close()
    missing, end, reason = [row.name for row in section.rows], time.monotonic() + limit, ""
    try:
        while missing and not reason:
            ready = wait([reader, *(its.sentinel for its in started)], end - time.monotonic())
            if reader in ready:
                with suppress(EOFError):
                    name, cells = reader.recv()
                    missing.remove(name)
                    yield name, cells
                    continue
            if not ready:
                reason = f"cut off: section '{section.name}' took longer than {limit:.0f} s"
            elif failed := [its.exitcode for its in started if its.exitcode]:
                reason = f"failed: the process ended with exit code {failed[0]}"
                reason += " (killed: no host memory left?)" if failed[0] == -9 else ""
            elif all(its.exitcode == 0 for its in started):
                reason = "failed: the process ended too early"
    finally:
        for its in started:
            if not missing:
                its.join(5)  # not longer: a checkpoint may still be written
            its.kill()
            its.join()
    yield from ((name, [reason]) for name in missing)


def _child(
    section: Section, given: Given, writer: Connection, rank: int, environment: dict[str, str]
) -> None:
    """Measure the rows and send them; only the first process does."""
    os.environ |= environment
    logging.basicConfig(format="%(message)s")
    if given.cpu:
        torch.set_num_threads(1)
    for row in section.rows:
        try:
            found = row.work(given, *row.arguments)
        except Exception as error:
            if rank:
                raise  # the others would wait for it
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            found = [f"failed: {kind}{' '.join(str(error).split())[:240]}"]
        if not rank:
            writer.send((row.name, found))
        _forget_peak()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def table(head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return a table in Markdown; rows with too few cells are filled up."""
    lines = [head, ["---"] * len(head)]
    lines += [[name, *cells, *[""] * (len(head) - 1 - len(cells))] for name, cells in rows]
    return "\n".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |" for line in lines)


def main(arguments: argparse.Namespace) -> None:
    since = time.monotonic()
    if arguments.cpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    visible_gpus.keep_one_gpu()
    try:
        if device().type == "cpu" and not arguments.cpu:
            sys.exit("error: no GPU here; --cpu tries the program with tiny models")
    except InputError as error:
        sys.exit(f"error: {error}")
    texts = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        given = Given(Path(folder), arguments.cpu, arguments.peak_tflops)
        for head, sections in TABLES:
            rows: list[tuple[str, Sequence[str]]] = []
            for section in sections:
                left = 60 * arguments.minutes - (time.monotonic() - since)
                chosen = not arguments.sections or section.name in arguments.sections
                if not chosen or left < 5:
                    reason = f"skipped: {'no time left' if chosen else 'not asked for'}"
                    rows += [(row.name, [reason]) for row in section.rows]
                    continue
                for name, cells in measure(
                    section, given, min(left, 60 * arguments.minutes * LONGEST)
                ):
                    rows.append((name, cells))
                    spent = time.monotonic() - since
                    print(f"[{spent:3.0f} s] {name}: {'  '.join(cells)}", flush=True)
            texts.append(table(head, rows))
    print("", *texts, f"{time.monotonic() - since:.0f} s", sep="\n\n")


if __name__ == "__main__":
    names = [section.name for _, sections in TABLES for section in sections]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--minutes", type=float, default=8, help="sections that would begin later are skipped")
    add("--sections", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    add("--peak-tflops", type=float, help="of the card, for MFU; default: by its name, or measured")
    add("--cpu", action="store_true", help="try the program with tiny models; measures nothing")
    main(parser.parse_args())
