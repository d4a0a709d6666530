"""A tiny model and tables that the tests of the torch stages share."""

import contextlib
import io
import logging
import random
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from programs import Program, Running, command

from nearfirst.common.parquet import ARRANGEMENT, INSTANCES, write_table


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tests of torch run on one thread, and what they set is gone after them."""
    torch = sys.modules.get("torch")  # tests of other stages need not import it
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def program() -> Program:
    """Run a stage program to its end: `program("train.py", "--model", …, check=True)`.

    In this process, which saves the start of Python and its imports, unless the process is the
    point: a log takes the file descriptors, training takes signals.
    """

    def run(name: str, *arguments: object, check: bool = False) -> subprocess.CompletedProcess[str]:
        words = {*map(str, arguments)}
        if "--help" in words or (name != "train.py" and "--log" not in words):
            done = in_this_process(name, *arguments)
        else:
            job = Running(command(name, *arguments))
            done = subprocess.CompletedProcess(job.pid, job.wait(), "", job.printed.read_text())
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def csv(program: Program, tmp_path: Path) -> Callable[..., Any]:
    """Run a program with `--output`; return the CSV that it wrote as a data frame."""
    import pandas as pd

    def csv(name: str, *arguments: object) -> pd.DataFrame:
        done = program(name, *arguments, "--output", tmp_path / "out.csv")
        assert done.returncode == 0, done.stderr
        texts = {"steps": str, "seed": str}
        return pd.read_csv(tmp_path / "out.csv", dtype=texts, keep_default_na=False, na_values="")

    return csv


def in_this_process(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    words = command(name, *arguments)[1:]
    out, err, code = io.StringIO(), io.StringIO(), 0
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", words)
        # As wide as argparse takes a terminal to be, whatever this one is.
        patch.setenv("COLUMNS", "80")
        try:
            runpy.run_path(words[0], run_name="__main__")
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


@pytest.fixture
def start_program() -> Iterator[Callable[..., Running]]:
    """Start a program and return at once; what still runs after the test is killed."""
    jobs: list[Running] = []

    def start(name: str, *arguments: object) -> Running:
        jobs.append(Running(command(name, *arguments)))
        return jobs[-1]

    yield start
    for job in jobs:
        if job.poll() is None:
            job.kill()


def conversation(*turns: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[i % 2], "content": turn} for i, turn in enumerate(turns)]


def sentences(count: int, seed: int = 0) -> list[list[dict[str, str]]]:
    """Conversations of unequal lengths, each different from all others."""
    generator = random.Random(seed)
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "ate", "nine", "green", "apples"]

    def some(low: int, high: int) -> str:
        return " ".join(generator.choices(words, k=generator.randint(low, high)))

    return [conversation(f"{i}: {some(1, 9)}?", some(1, 7)) for i in range(count)]


@pytest.fixture(scope="session")
def talk() -> Callable[..., list[dict[str, str]]]:
    """Make a conversation of turns: `talk("question", "answer", …)`."""
    return conversation


@pytest.fixture(scope="session")
def some_talks() -> Callable[..., list[list[dict[str, str]]]]:
    """Make conversations: `some_talks(count, seed=0)`."""
    return sentences


@pytest.fixture(scope="session")
def write_instances() -> Callable[..., list[str]]:
    """Write conversations as an instance table, with metadata by name; returns their ids."""
    import pyarrow as pa

    def write(path: Path, talks: Sequence[Any], **metadata: str) -> list[str]:
        ids = [f"id-{i}" for i in range(len(talks))]
        columns = {
            "id": ids,
            "task": [f"task-{i % 3}" for i in range(len(talks))],
            "messages": list(talks),
            "references": [[talk[-1]["content"]] for talk in talks],
        }
        write_table(pa.table(columns, schema=INSTANCES), path, metadata)
        return ids

    return write


@pytest.fixture(scope="session")
def write_arrangement() -> Callable[..., None]:
    """Write ids as an arrangement in their order, with metadata by name."""
    import pyarrow as pa

    def write(path: Path, ids: Sequence[str], **metadata: str) -> None:
        # Rows in another order than positions: it is the positions that count.
        columns = {
            "position": list(range(len(ids)))[::-1],
            "id": list(ids)[::-1],
            "round": [None] * len(ids),
        }
        write_table(pa.table(columns, schema=ARRANGEMENT), path, metadata)

    return write


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 2 layers with random weights and a byte-level tokenizer of 300 tokens."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    core = ByteLevelBPETokenizer()
    text = [message["content"] for talk in sentences(50) for message in talk]
    core.train_from_iterator(text, vocab_size=300, special_tokens=["<s>", "</s>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core._tokenizer, bos_token="<s>", eos_token="</s>"
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=256,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            tie_word_embeddings=True,
        )
    )
    folder = tmp_path_factory.mktemp("base") / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tokenizer(model_folder: Path) -> Any:
    """The tokenizer of the tiny model."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model_folder)


@pytest.fixture(scope="session")
def train_arguments(
    tmp_path_factory: pytest.TempPathFactory,
    model_folder: Path,
    write_instances: Callable[[Path, Sequence[Any]], list[str]],
    write_arrangement: Callable[[Path, Sequence[str]], None],
) -> Callable[..., list[Any]]:
    """Make a command line of train.py: `train_arguments(output, 100, settings=…, stop=20)`.

    It trains on conversations in their order, or on so many `sentences`.
    """

    def make(folder: Path, talks: int | Sequence[Any], **flags: Any) -> list[Any]:
        data = tmp_path_factory.mktemp("data")
        if isinstance(talks, int):
            talks = sentences(talks)
        write_arrangement(data / "order.parquet", write_instances(data / "train.parquet", talks))
        flags = {"arrangement": data / "order.parquet", **flags}
        given = [(f"--{name.replace('_', '-')}", value) for name, value in flags.items()]
        return [
            *("train.py", "--model", model_folder, "--instances", data / "train.parquet"),
            *("--checkpoints", folder / "checkpoints", "--state", folder / "state"),
            *("--log", folder / "log", *(part for pair in given for part in pair)),
        ]

    return make
