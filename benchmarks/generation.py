"""Generation in batches against the obvious way, one instance at a time, both in this run.

The model has the shape of `mini`'s and random weights, for its speed does not depend on them; the
bias of a head of its own decides how soon answers end. With --results, also the answers of runs
as they come: `snakemake results/fig1_loss.pdf` makes three. What the numbers mean:
benchmarks/README.md.
"""

import argparse
import math
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import GenerationConfig

from nearfirst.corpus.corpus import flan_mini_rows
from nearfirst.corpus.prose import documents
from nearfirst.data.instances import conversations, read_instances
from nearfirst.generate.answers import generate
from nearfirst.generate.settings import GenerateSettings
from nearfirst.model import load, pretrain, template
from nearfirst.model.checkpoints import load_weights
from nearfirst.model.settings import PretrainSettings

GOAL = 3
NEVER = -1e4


class Case(NamedTuple):
    """What is answered, and by which model."""

    name: str
    model: Any
    tokenizer: Any
    prompts: list[Any]


def random_model(instances: int) -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as folder:
        shape = PretrainSettings(steps=1, threads=1)
        pretrain.pretrain(list(documents(3000, 0)), shape, Path(folder))
        tokenizer, model = load.load_tokenizer(folder), load.load_model(folder).eval()
    rows = random.Random(0).sample(list(flan_mini_rows(2, 0)), instances)
    talks = [
        [
            {"role": role, "content": turn["value"]}
            for role, turn in zip(("user", "assistant"), row, strict=False)
        ]
        for row in (row["conversations"] for row in rows)
    ]
    prompts = template.prompts(talks, tokenizer)
    head = torch.nn.Linear(shape.hidden_size, len(tokenizer))
    head.weight.data = model.lm_head.weight.data
    torch.nn.init.zeros_(head.bias)
    model.lm_head = head
    # Logits are near zero, so that EOS comes with the odds exp(bias / 0.9) : vocabulary * 0.9.
    for name, bias in {
        "all of 128 tokens": NEVER,
        "short answers": 0.9 * math.log(0.9 * len(tokenizer) / 6),
    }.items():
        head.bias.data[tokenizer.eos_token_id] = bias
        yield Case(name, model, tokenizer, prompts)


def run(results: Path, instances: int) -> Iterator[Case]:
    tokenizer = load.load_tokenizer(str(results / "model"))
    model = load.empty_model(str(results / "model"))
    for test in sorted(results.glob("instances/*/generalist-0.parquet")):
        table = read_instances(test).slice(0, instances)
        prompts = template.prompts(conversations(table), tokenizer)
        checkpoints = sorted(
            results.glob(f"checkpoints/{test.parent.name}/random/seed-0/*/step-*"),
            key=lambda path: path.name,
        )
        for checkpoint in checkpoints[:1] + checkpoints[-1:]:
            load_weights(model, checkpoint)
            yield Case(f"{test.parent.name} {checkpoint.name}", model, tokenizer, prompts)


def in_batches(case: Case, settings: GenerateSettings, batch_size: int) -> int:
    """Return the number of tokens."""
    ids = [str(i) for i in range(len(case.prompts))]
    answers = generate(
        *(case.model, case.prompts, ids, settings),
        **{"step": 0, "run_seed": 0, "batch_size": batch_size},
        ends=[case.tokenizer.eos_token_id],
    )
    return sum(len(answer.tokens) for answer in answers)


def one_by_one(case: Case, settings: GenerateSettings) -> int:
    """Return the number of tokens that transformers' own sampling gives."""
    torch.manual_seed(0)
    config = GenerationConfig(
        do_sample=True,
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=0,
        repetition_penalty=settings.repetition_penalty,
        max_new_tokens=settings.max_new_tokens,
        eos_token_id=case.tokenizer.eos_token_id,
        pad_token_id=case.tokenizer.bos_token_id,
        use_cache=True,
    )
    tokens = 0
    for prompt in case.prompts:
        ids = torch.from_numpy(prompt)[None]
        output = case.model.generate(
            ids, attention_mask=torch.ones_like(ids), generation_config=config
        )
        tokens += output.shape[1] - len(prompt)
    return tokens


def timed(work: Callable[[], int]) -> tuple[float, int]:
    since = time.perf_counter()
    tokens = work()
    return time.perf_counter() - since, tokens


def compare(case: Case, arguments: argparse.Namespace) -> None:
    settings = GenerateSettings()
    torch.set_num_threads(settings.threads)
    load = os.getloadavg()[0]
    few = case._replace(prompts=case.prompts[:2])  # warms up
    in_batches(few, settings, arguments.batch_size), one_by_one(few, settings)
    both = [
        (
            timed(lambda: in_batches(case, settings, arguments.batch_size)),
            timed(lambda: one_by_one(case, settings)),
        )
        for _ in range(arguments.repeats)
    ]
    (ours, ours_tokens), (theirs, their_tokens) = (min(times) for times in zip(*both, strict=True))
    count = len(case.prompts)
    print(
        f"generation, {case.name:<18} {ours:6.2f} s, {ours_tokens / count:5.1f} tokens an answer   "
        f"one by one {theirs:6.2f} s, {their_tokens / count:5.1f}   "
        f"ratio {theirs / ours:.2f}, goal {GOAL}   (load {load:.1f} before)",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--instances", type=int, default=80, help="instances of a test set")
    add("--batch-size", type=int, default=8, help="instances that are answered together")
    add("--repeats", type=int, default=3, help="runs of which the best counts")
    add("--results", type=Path, help="a finished run of mini: its results folder")
    arguments = parser.parse_args()
    for case in random_model(arguments.instances):
        compare(case, arguments)
    if arguments.results:
        for case in run(arguments.results, arguments.instances):
            compare(case, arguments)
