"""Generation in batches, compared with one instance at a time.

The model has the shape of `mini`'s and random weights; a bias on EOS decides how long answers are.
--results adds answers of finished runs; `snakemake results/fig1_loss.pdf` makes three runs.
benchmarks/README.md explains the numbers.
"""

import argparse
import math
import random
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from shared import load_before, parser, timed
from transformers import GenerationConfig

from nearfirst.corpus.formats import flan
from nearfirst.corpus.text import documents
from nearfirst.data.conversation import Message
from nearfirst.data.instances import read_conversations
from nearfirst.generate.answers import generate
from nearfirst.generate.settings import GenerateSettings
from nearfirst.model import load, pretrain, template
from nearfirst.model.checkpoints import load_weights
from nearfirst.model.settings import PretrainSettings

GOAL = 3
MAX_LENGTH = 4096
SETTINGS = GenerateSettings()


class Case(NamedTuple):
    """Prompts and the model that answers them."""

    name: str
    model: Any
    tokenizer: Any
    prompts: list[Any]


def random_model(instances: int) -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as folder:
        shape = PretrainSettings(steps=1, threads=1)
        pretrain.pretrain(list(documents(3000, 0)), shape, Path(folder))
        tokenizer, model = load.load_tokenizer(folder), load.load_model(folder).eval()
    rows = random.Random(0).sample(list(flan.rows(2, 0)), instances)
    chats: list[list[Message]] = [
        [
            {"role": role, "content": turn["value"]}
            for role, turn in zip(("user", "assistant"), row["conversations"], strict=False)
        ]
        for row in rows
    ]
    prompts = [item.prompt for item in template.encode(chats, tokenizer, MAX_LENGTH)]
    head = torch.nn.Linear(shape.hidden_size, len(tokenizer))
    head.weight.data = model.lm_head.weight.data
    torch.nn.init.zeros_(head.bias)
    model.lm_head = head
    # Logits are near zero, so the odds of EOS are exp(bias / 0.9) : vocabulary * 0.9.
    short = 0.9 * math.log(0.9 * len(tokenizer) / 6)
    for name, bias in {"all of 128 tokens": -1e4, "short answers": short}.items():
        head.bias.data[tokenizer.eos_token_id] = bias
        yield Case(name, model, tokenizer, prompts)


def finished_runs(results: Path, instances: int) -> Iterator[Case]:
    """Yield the first and the last checkpoint of each data set's first random run."""
    tokenizer = load.load_tokenizer(str(results / "model/seed-0"))
    model = load.empty_model(str(results / "model/seed-0"))
    for test in sorted(results.glob("instances/*/generalist-0.parquet")):
        dataset = test.parent.name
        chats = islice(read_conversations(test), instances)
        prompts = [item.prompt for item in template.encode(chats, tokenizer, MAX_LENGTH)]
        folders = results.glob(f"checkpoints/{dataset}/random/seed-0/*/step-*")
        steps = sorted(folders, key=lambda path: path.name)
        for step in steps[:1] + steps[-1:]:
            load_weights(model, step)
            yield Case(f"{dataset} {step.name}", model, tokenizer, prompts)


def in_batches(case: Case, batch_size: int) -> int:
    """Return the number of tokens that `generate` samples."""
    ids = [str(i) for i in range(len(case.prompts))]
    answers = generate(
        *(case.model, case.prompts, ids, SETTINGS),
        step=0,
        run_seed=0,
        batch_size=batch_size,
        end_tokens=template.end_tokens(case.tokenizer),
    )
    return sum(map(len, answers))


def one_by_one(case: Case) -> int:
    """Return the number of tokens that transformers samples."""
    torch.manual_seed(0)
    config = GenerationConfig(
        do_sample=True,
        temperature=SETTINGS.temperature,
        top_p=SETTINGS.top_p,
        top_k=0,
        repetition_penalty=SETTINGS.repetition_penalty,
        max_new_tokens=SETTINGS.max_new_tokens,
        eos_token_id=case.tokenizer.eos_token_id,
        pad_token_id=case.tokenizer.bos_token_id,
        use_cache=True,
    )
    tokens = 0
    for prompt in case.prompts:
        ids = torch.from_numpy(prompt)[None]
        mask = torch.ones_like(ids)
        output = case.model.generate(ids, attention_mask=mask, generation_config=config)
        tokens += output.shape[1] - len(prompt)
    return tokens


def compare(case: Case, batch_size: int, repeats: int) -> None:
    torch.set_num_threads(SETTINGS.threads)
    load = load_before()
    ways: list[Callable[[Case], int]] = [lambda case: in_batches(case, batch_size), one_by_one]
    for way in ways:
        way(case._replace(prompts=case.prompts[:2]))  # warms up
    tokens = [0, 0]

    def answer(i: int) -> None:
        tokens[i] = ways[i](case)

    turns = [[timed(lambda i=i: answer(i))[0] for i in (0, 1)] for _ in range(repeats)]
    ours, theirs = (min(times) for times in zip(*turns, strict=True))
    means = [count / len(case.prompts) for count in tokens]
    print(
        f"generation, {case.name:<18} {ours:6.2f} s, {means[0]:5.1f} tokens an answer   "
        f"one by one {theirs:6.2f} s, {means[1]:5.1f}   "
        f"ratio {theirs / ours:.2f}, goal {GOAL}   ({load})",
        flush=True,
    )


def main(arguments: argparse.Namespace) -> None:
    for case in random_model(arguments.instances):
        compare(case, arguments.batch_size, arguments.repeats)
    if arguments.results:
        for case in finished_runs(arguments.results, arguments.instances):
            compare(case, arguments.batch_size, arguments.repeats)


if __name__ == "__main__":
    flags = parser(__doc__, 3, "runs, of which the best counts")
    flags.add_argument("--instances", type=int, default=80, help="instances of a test set")
    flags.add_argument("--batch-size", type=int, default=8, help="instances answered together")
    flags.add_argument("--results", type=Path, help="results folder of a finished run of mini")
    main(flags.parse_args())
