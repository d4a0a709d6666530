"""Checkpoints that a thread reads while the one before is looked at."""

import queue
import re
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nearfirst.common.errors import InputError
from nearfirst.evaluate import loss
from nearfirst.model import load
from nearfirst.model.template import encode


@pytest.fixture(scope="module")
def checkpoints(model_folder: Path) -> Callable[[Path, int], list[Path]]:
    """Write so many checkpoints with other weights each."""

    def write(folder: Path, count: int) -> list[Path]:
        model = load.load_model(str(model_folder))
        torch.manual_seed(1)
        folders = [folder / f"step-{step:06d}" for step in range(count)]
        for each in folders:
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.normal_(std=0.1)
            model.save_pretrained(each)
        return folders

    return write


@pytest.fixture
def model(model_folder: Path) -> Any:
    return load.empty_model(str(model_folder))


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def test_reading_ahead_changes_no_bit(
    tmp_path: Path, checkpoints: Any, model: Any, some_talks: Any, tokenizer: Any
) -> None:
    tokens = encode(some_talks(12), tokenizer, 64)
    folders = checkpoints(tmp_path, 4)
    folders.append(folders[0])
    expected = []
    for folder in folders:
        checkpoints.load_weights(model, folder)
        expected.append(loss.losses(model, tokens, 512))
    turns = []
    for turn, folder in enumerate(checkpoints.each_loaded(model, folders)):
        assert np.array_equal(loss.losses(model, tokens, 512), expected[turn])
        turns.append(folder)
    assert turns == folders
    assert len({losses.tobytes() for losses in expected}) == 4
    assert list(checkpoints.each_loaded(model, [])) == []


def test_one_checkpoint_is_read_ahead_and_no_more(
    tmp_path: Path, checkpoints: Any, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = checkpoints(tmp_path, 5)
    opened: queue.Queue[Path] = queue.Queue()
    safe_open = loss.safe_open

    def watched(path: Path, **how: Any) -> Any:
        opened.put(path.parent)
        return safe_open(path, **how)

    monkeypatch.setattr(loss, "safe_open", watched)
    with closing(checkpoints.each_loaded(model, folders)) as loaded:
        assert next(loaded) == opened.get(timeout=60) == folders[0]
        for turn in (1, 2):
            # Without having been asked for, and none after it.
            assert opened.get(timeout=60) == folders[turn]
            assert opened.empty()
            assert next(loaded) == folders[turn]


def test_no_thread_outlives_the_work(tmp_path: Path, checkpoints: Any, model: Any) -> None:
    folders = checkpoints(tmp_path, 3)

    def work(fails: bool) -> None:
        with closing(checkpoints.each_loaded(model, folders)) as loaded:
            for _ in loaded:
                assert readers()
                if fails:
                    raise ArithmeticError

    work(False)
    assert not readers()
    with pytest.raises(ArithmeticError):
        work(True)
    assert not readers()
    (folders[1] / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(InputError, match=r"step-000001/.* not a whole checkpoint"):
        work(False)
    assert not readers()


def test_a_damaged_checkpoint_is_named_at_its_turn(
    tmp_path: Path,
    program: Any,
    talk: Any,
    checkpoints: Any,
    write_instances: Any,
    model_folder: Path,
) -> None:
    write_instances(tmp_path / "test.parquet", [talk("the cat", "sat")])
    checkpoints(tmp_path / "checkpoints", 4)
    third = tmp_path / "checkpoints/step-000002/model.safetensors"
    with third.open("rb+") as file:
        file.truncate(third.stat().st_size // 2)
    log, output = tmp_path / "evaluate.log", tmp_path / "losses.parquet"
    done = program(
        *("evaluate.py", "--model", model_folder, "--instances", tmp_path / "test.parquet"),
        *("--checkpoints", tmp_path / "checkpoints", "--output", output, "--log", log),
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {third}: not a whole checkpoint (")
    assert done.stderr.count("\n") == 1
    told = re.findall(
        r"step (\d+): mean loss \d\.\d{4} \(\d+\.\d s, \d+ tokens/s\), \d+ s left\n",
        log.read_text(),
    )
    assert told == ["0", "1"]
    assert not list(tmp_path.glob("*losses.parquet*"))
