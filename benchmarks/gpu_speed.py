"""Rows of gpu.py on speed and memory, compared with bare passes of the model in one process."""

import gc
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import torch
from gpu_setup import Setup, Size, host_memory, now, peak
from random_llama import empty_tokenizer, instances, llama

from nearfirst import memory
from nearfirst.common.batching import batches
from nearfirst.common.errors import InputError
from nearfirst.evaluate.losses import losses
from nearfirst.generate.answers import generate
from nearfirst.generate.settings import GenerateSettings
from nearfirst.hardware import TrainHardware
from nearfirst.model.adapter import add_adapter
from nearfirst.model.adapter_settings import AdapterSettings
from nearfirst.model.device import deterministic, device
from nearfirst.model.logits import pad
from nearfirst.model.precision import autocast
from nearfirst.model.settings import TemplateSettings
from nearfirst.model.template import Tokens
from nearfirst.requests import training_of
from nearfirst.train.batches import StepBatches, Steps, pass_cost, run_steps
from nearfirst.train.segment import train_segment
from nearfirst.train.settings import TrainSettings

BATCH_TOKENS = 16384
"""Tokens of a pass in evaluation, padding included."""


class Cost(NamedTuple):
    """Seconds, and the peak memory of tensors on the card, in bytes."""

    seconds: float
    memory: float


def training(
    setup: Setup,
    name: str,
    adapter: AdapterSettings | None = None,
    exact: bool = True,
    offload: bool = False,
) -> list[str]:
    size = setup.size(name)
    settings = TrainSettings(
        batch_size=size.batch_size,
        micro_batch_tokens=size.micro_batch_tokens,
        precision="bfloat16",
        deterministic=exact,
        adapter=adapter,
        checkpoint_every=10**6,
    )
    hardware = TrainHardware(offload=offload, recompute_activations=size.recompute and not adapter)
    _check_memory(size, settings, hardware)
    first, timed = (2, 5) if offload else (setup.count(5, 1), setup.count(20, 2))
    count = (first + timed + 2) * size.batch_size
    tokens = instances(count, size.shape["vocab_size"], size.max_length)
    steps = TimedSteps(run_steps(tokens, settings), first, first + timed)
    model = _model(size, adapter)
    if offload:
        model = model.cpu()
    work = setup.folder / "speed"
    _reset_peak_memory()
    with deterministic(exact), suppress(TimedError):
        train_segment(
            model,
            empty_tokenizer(),
            steps,
            settings,
            hardware,
            stop=len(steps),
            before=None,
            work=work,
            run="benchmark",
        )
    ours = Cost(steps.seconds, _peak_memory())
    del model
    _reset_peak_memory()
    shutil.rmtree(work, ignore_errors=True)  # the checkpoint of step 0 may still be written
    bare = _bare_training(size, settings, hardware, steps)
    trained = [item for step in steps.steps[first : first + timed] for item in step]
    # Frozen weights need no weight gradients.
    passes = 2 if adapter else 3
    operations = _operations(size, trained, sum(item.label_tokens for item in trained))
    return _cells(setup, _tokens(trained), ours, bare, passes * operations)


class TimedError(Exception):
    """All steps to be timed are done."""


class TimedSteps(Steps):
    """The steps of a run that ends once those from `first` to before `last` are timed.

    The Trainer reads a step ahead: when it reads step i, i - 1 steps are done.
    """

    def __init__(self, steps: Steps, first: int, last: int) -> None:
        self.steps, self.first, self.last = steps, first, last
        self.since = self.seconds = 0.0

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, step: Any) -> Any:
        """Return the instances of a step. Raises TimedError after the last."""
        if step == self.first + 1:
            self.since = now()
        elif step == self.last + 1:
            self.seconds = now() - self.since
            raise TimedError  # before a state is saved
        return self.steps[step]


def _bare_training(
    size: Size, settings: TrainSettings, hardware: TrainHardware, steps: TimedSteps
) -> Cost:
    """Time only forward and backward passes of the same micro-batches.

    They compute all logits, without clipping, optimizer, determinism or offload.
    """
    model = _model(size, settings.adapter).train()
    if hardware.recompute_activations:
        model.gradient_checkpointing_enable()
    read = StepBatches(steps.steps, settings, 1, pass_cost(hardware))
    since = 0.0
    for number in range(steps.last):
        if number == steps.first:
            since = now()
        for batch in read[number]["passes"]:
            inputs = {key: tensor.to(device()) for key, tensor in batch.items()}
            with autocast(settings.precision):
                loss = model(**inputs, use_cache=False).loss
            loss.backward()
        model.zero_grad()
    return Cost(now() - since, _peak_memory())


def _check_memory(size: Size, settings: TrainSettings, hardware: TrainHardware) -> None:
    """Raise InputError if the card or the machine has too little memory for the job."""
    if not torch.cuda.is_available():
        return
    sizes = (size.shape[key] for key in ("hidden_size", "num_hidden_layers", "vocab_size"))
    shape = memory.Shape(_empty(size).num_parameters(), *sizes)
    job = training_of(shape, settings, TemplateSettings(max_length=size.max_length), hardware)
    memory.check_fits(shape, job, torch.cuda.get_device_properties(0).total_memory)
    required, available = memory.cpu_memory(shape, job), host_memory()
    if required > available:
        raise InputError(
            f"a job takes {required / 1e9:.0f} GB of the machine's memory; it has "
            f"{available / 1e9:.0f}"
        )


def evaluation(setup: Setup, name: str) -> list[str]:
    size = setup.size(name)
    tokens = instances(setup.count(512, 64), size.shape["vocab_size"], size.max_length)
    model = _model(size).eval()

    def ours(part: Sequence[Tokens]) -> None:
        losses(model, part, BATCH_TOKENS)

    def bare(part: Sequence[Tokens]) -> None:
        for batch in batches([len(item.ids) for item in part], BATCH_TOKENS):
            ids = pad([part[i] for i in batch])["input_ids"]
            model(input_ids=ids.to(device()), use_cache=False)

    costs = (_cost(work, tokens, tokens[:64]) for work in (ours, bare))
    operations = _operations(size, tokens, sum(item.label_tokens for item in tokens))
    return _cells(setup, _tokens(tokens), *costs, operations)


def generation(setup: Setup, name: str) -> list[str]:
    size, rows = setup.size(name), setup.count(32, 4)
    settings = GenerateSettings(precision="bfloat16", max_new_tokens=setup.count(64, 8))
    tokens = instances(rows, size.shape["vocab_size"], size.max_length)
    model = _model(size).eval()
    written = 0

    def ours(part: Sequence[Tokens]) -> None:
        nonlocal written
        answers = generate(
            model,
            [item.ids for item in part],
            [str(i) for i in range(len(part))],
            settings,
            step=0,
            run_seed=0,
            batch_size=rows,
            end_tokens=[size.shape["vocab_size"]],  # never sampled: all answers have full length
        )
        written = sum(map(len, answers))

    def bare(part: Sequence[Tokens]) -> None:
        width = max(len(item.ids) for item in part)
        ids, mask = torch.zeros(2, len(part), width, dtype=torch.long)
        for row, item in enumerate(part):
            ids[row, width - len(item.ids) :] = torch.from_numpy(item.ids)
            mask[row, width - len(item.ids) :] = 1
        ids, mask, cache = ids.to(device()), mask.to(device()), None
        for _ in range(settings.max_new_tokens):
            output = model(
                input_ids=ids,
                attention_mask=mask,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache, ids = output.past_key_values, output.logits[:, -1:].argmax(-1)
            mask = torch.nn.functional.pad(mask, (0, 1), value=1)

    costs = [_cost(work, tokens, tokens[:2]) for work in (ours, bare)]
    head = size.shape["hidden_size"] * size.shape["vocab_size"]
    operations = _operations(size, tokens, 0) + 2 * written * (_matrices(size) + head)
    return _cells(setup, written, *costs, operations)


def _cost(work: Callable[[Any], None], instances: Any, part: Any) -> Cost:
    """Time work on all instances in bfloat16, after a warm-up on a part."""
    with autocast("bfloat16"), torch.no_grad():
        work(part)
        _reset_peak_memory()
        since = now()
        work(instances)
        return Cost(now() - since, _peak_memory())


def _model(size: Size, adapter: AdapterSettings | None = None) -> Any:
    torch.manual_seed(0)
    with device():
        model = llama(size.shape)
        if adapter:
            add_adapter(model, adapter)
    return model


def _empty(size: Size) -> Any:
    with torch.device("meta"):
        return llama(size.shape)


def _matrices(size: Size) -> int:
    """Return the parameters of the linear layers without the output layer."""
    layers = [m for m in _empty(size).model.modules() if isinstance(m, torch.nn.Linear)]
    return sum(layer.weight.numel() for layer in layers)


def _operations(size: Size, tokens: Sequence[Tokens], logits: int) -> float:
    """Return the operations of a forward pass over instances, with logits at `logits` positions.

    2 n M + 2 n² L H for an instance of n tokens, M parameters in matrices and L layers of width H:
    causal attention looks at half of all pairs.
    """
    lengths = np.array([len(item.ids) for item in tokens], dtype=float)
    width = size.shape["hidden_size"]
    attention = 2 * (lengths**2).sum() * size.shape["num_hidden_layers"] * width
    head = 2 * logits * width * size.shape["vocab_size"]
    return float(2 * lengths.sum() * _matrices(size) + attention + head)


def _tokens(instances: Sequence[Tokens]) -> int:
    return sum(len(item.ids) for item in instances)


def _cells(setup: Setup, tokens: int, ours: Cost, bare: Cost, operations: float) -> list[str]:
    """Return tokens a second, ours and bare, their ratio, MFU, and the memory of both."""
    cells = [f"{tokens / cost.seconds:,.0f}" for cost in (ours, bare)]
    cells.append(f"{bare.seconds / ours.seconds:.2f}")
    cells.append(f"{100 * operations / ours.seconds / 1e12 / peak(setup):.3g} %")
    on_gpu = torch.cuda.is_available()
    return cells + [f"{cost.memory / 1e9:.1f}" if on_gpu else "-" for cost in (ours, bare)]


def _reset_peak_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _peak_memory() -> float:
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
