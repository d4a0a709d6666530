"""Checkpoints are complete models, and errors while writing them are raised."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from training import train
from transformers import AutoModelForCausalLM, AutoTokenizer

from nearfirst.model import load
from nearfirst.model.template import encode
from nearfirst.train import writer
from nearfirst.train.settings import TrainSettings

RUN = TrainSettings(learning_rate=1e-3, batch_size=4, checkpoint_every=1)


def test_a_checkpoint_is_a_whole_model(
    tmp_path: Path, model_folder: Path, some_talks: Any, tokenizer: Any
) -> None:
    tokens = encode(some_talks(8), tokenizer, 100)
    checkpoints, _ = train(model_folder, tokens, RUN, tmp_path / "work")
    folder = (checkpoints / "step-000002").rename(tmp_path / "elsewhere")
    model = AutoModelForCausalLM.from_pretrained(folder)
    saved = AutoTokenizer.from_pretrained(folder)
    text = "User: the cat sat on nine green apples?\nAssistant:"
    assert saved(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert (saved.bos_token, saved.eos_token) == ("<s>", "</s>")
    answer = model.generate(**saved(text, return_tensors="pt"), max_new_tokens=4, do_sample=False)
    assert answer.shape[1] > len(saved(text)["input_ids"])
    # Files that never change are on disk once.
    for path in (checkpoints / "step-000001").iterdir():
        links = path.stat().st_nlink
        assert links == (1 if path.name == "model.safetensors" else 4), path
    assert str(tmp_path) not in "".join(
        path.read_text() for path in folder.iterdir() if path.suffix in (".json", ".jinja")
    )


@pytest.fixture
def checkpoint_writer(tmp_path: Path, model_folder: Path, tokenizer: Any) -> Any:
    return writer.CheckpointWriter(load.load_model(str(model_folder)), tokenizer, tmp_path)


def test_later_changes_of_the_weights_are_not_written(
    checkpoint_writer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, save_file = threading.Event(), writer.save_file

    def slow(*args: Any, **kwargs: Any) -> None:
        assert go_on.wait(60)
        save_file(*args, **kwargs)

    monkeypatch.setattr(writer, "save_file", slow)
    weights = {"a": torch.arange(4.0)}
    checkpoint_writer.save(1, weights, torch.float16)
    weights["a"].zero_()  # the next step, while the thread is writing
    path = tmp_path / "checkpoints/step-000001/model.safetensors"
    assert not path.exists()
    go_on.set()
    checkpoint_writer.wait()
    assert torch.equal(load_file(path)["a"], torch.arange(4.0).half())


def test_a_file_system_without_links(
    checkpoint_writer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(writer.os, "link", refuse)
    checkpoint_writer.save(1, {"a": torch.zeros(2)}, torch.float32)
    checkpoint_writer.wait()
    folder = tmp_path / "checkpoints/step-000001"
    assert {path.name for path in folder.iterdir()} >= {"config.json", "tokenizer.json"}
    assert (folder / "config.json").read_bytes() == (tmp_path / "same/config.json").read_bytes()
