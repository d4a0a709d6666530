"""Losses against those that plain transformers computes, one instance at a time."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from files import cut
from safetensors.torch import load_file
from training import plain_losses
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from nearfirst.common.identity import RUN, read_identity, read_run, write_run
from nearfirst.common.parquet import LOSSES
from nearfirst.evaluate.losses import losses
from nearfirst.model import checkpoints, load
from nearfirst.model.template import encode

STEPS = (0, 10, 20)
SETTINGS = {"batch_tokens": 256}


def save_other(base: Path, folder: Path, seed: int, **changes: Any) -> Path:
    """Save a checkpoint of the base model's shape with other random weights."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig.from_pretrained(base, **changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # far from uniform, so that losses differ
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def talks(some_talks: Any, talk: Any) -> list[Any]:
    dialogue = talk("one", "eins", "two", "zwei is the answer", "three", "drei")
    return [*some_talks(12), dialogue, talk("猫? " * 6, "кошка")]


@pytest.mark.parametrize("tied", [True, False])
def test_losses_are_those_of_plain_transformers(
    tmp_path: Path, model_folder: Path, talks: list[Any], tokenizer: Any, tied: bool
) -> None:
    tokens = encode(talks, tokenizer, 64)
    folder = save_other(model_folder, tmp_path / "step", 1, tie_word_embeddings=tied)
    expected = plain_losses(AutoModelForCausalLM.from_pretrained(folder), tokens)
    assert np.std(expected) > 0.1
    model = load.empty_model(str(folder))
    checkpoints.load_weights(model, folder)
    single = losses(model, tokens, 1)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=0, atol=1e-5)
    for batch_tokens in (100, 100_000):  # neighbours in a batch do not matter
        found = losses(model, tokens, batch_tokens)
        np.testing.assert_allclose(found, single, rtol=1e-6, atol=1e-6)
    found = losses(model, tokens[::-1], 100_000)[::-1]
    np.testing.assert_allclose(found, single, rtol=1e-6, atol=1e-6)


@pytest.fixture
def evaluate(
    tmp_path: Path, program: Any, model_folder: Path, write_instances: Any
) -> Callable[..., Any]:
    """Run the program on three checkpoints and these conversations, with metadata by name."""

    def run(
        talks: list[Any],
        settings: dict[str, Any] = SETTINGS,
        before: Path | None = None,
        **metadata: str,
    ) -> Any:
        write_instances(tmp_path / "test.parquet", talks, **metadata)
        return program(
            *("evaluate.py", "--model", model_folder, "--instances", tmp_path / "test.parquet"),
            *("--checkpoints", tmp_path / "checkpoints", "--output", tmp_path / "losses.parquet"),
            *("--template", '{"max_length":64}', "--settings", json.dumps(settings)),
            *(("--before", before) if before else ()),
        )

    for step in STEPS:
        save_other(model_folder, tmp_path / f"checkpoints/step-{step:06d}", step)
    return run


def test_the_program_writes_a_row_an_instance_and_checkpoint(
    tmp_path: Path, evaluate: Any, talk: Any, talks: list[Any], tokenizer: Any
) -> None:
    # The second and the last lose their answer to a prompt longer than 64 tokens.
    long = talk("the cat " * 64, "sat")
    given = [talks[0], long, *talks[1:], long]
    kept = [row for row, item in enumerate(given) if item is not long]
    tokens = encode([given[row] for row in kept], tokenizer, 64)
    done = evaluate(given)
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "losses.parquet")
    assert table.schema.remove_metadata() == LOSSES
    assert table.schema.metadata == {b"left_out": b"2"}
    frame = table.to_pandas()
    assert frame["step"].tolist() == [step for step in STEPS for _ in kept]
    for step, rows in frame.groupby("step"):
        assert rows["id"].tolist() == [f"id-{row}" for row in kept]
        assert rows["task"].tolist() == [f"task-{row % 3}" for row in kept]
        assert rows["label_tokens"].tolist() == [item.label_tokens for item in tokens]
        folder = tmp_path / f"checkpoints/step-{step:06d}"
        expected = plain_losses(AutoModelForCausalLM.from_pretrained(folder), tokens)
        np.testing.assert_allclose(rows["loss"], expected, rtol=0, atol=1e-5)


def test_the_mean_of_checkpoints_does_not_depend_on_segments(
    tmp_path: Path, evaluate: Any, program: Any, talks: list[Any], tokenizer: Any
) -> None:
    its = {"batch_tokens": 256, "average": 2}
    assert evaluate(talks, settings=its).returncode == 0
    whole = pq.read_table(tmp_path / "losses.parquet").to_pandas()
    weights = [load_file(tmp_path / f"checkpoints/step-{s:06d}/model.safetensors") for s in STEPS]
    tokens = encode(talks, tokenizer, 64)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "checkpoints/step-000000")
    for at, (_, rows) in enumerate(whole.groupby("step")):
        of = weights[max(0, at - 1) : at + 1]
        mean = {name: sum(each[name] for each in of) / len(of) for name in of[0]}
        model.load_state_dict(mean, strict=False)
        np.testing.assert_allclose(rows["loss"], plain_losses(model, tokens), rtol=0, atol=1e-5)

    before = tmp_path / "before"
    before.mkdir()
    for step in STEPS[:2]:
        (tmp_path / f"checkpoints/step-{step:06d}").rename(before / f"step-{step:06d}")
    assert evaluate(talks, settings=its, before=before).returncode == 0
    last = pq.read_table(tmp_path / "losses.parquet").to_pandas()
    assert last.equals(whole[whole["step"] == STEPS[2]].reset_index(drop=True))


def test_bfloat16_rounds_the_weights_of_each_checkpoint_anew(
    tmp_path: Path, evaluate: Any, talks: list[Any], tokenizer: Any
) -> None:
    done = evaluate(talks, settings={"batch_tokens": 256, "precision": "bfloat16"})
    assert done.returncode == 0, done.stderr
    frame = pq.read_table(tmp_path / "losses.parquet").to_pandas()
    tokens = encode(talks, tokenizer, 64)
    for step, rows in frame.groupby("step"):
        folder = tmp_path / f"checkpoints/step-{step:06d}"
        expected = plain_losses(AutoModelForCausalLM.from_pretrained(folder), tokens)
        np.testing.assert_allclose(rows["loss"], expected, rtol=0.02)
        assert (rows["loss"] != np.float32(expected)).all()


def test_losses_name_their_run_and_test_set(
    tmp_path: Path, evaluate: Any, talks: list[Any]
) -> None:
    run = {"dataset": "flan", "arrangement": "tma", "seed": "3"}
    write_run(tmp_path / "checkpoints", run | {"test": "train", "skipped_steps": "2"})
    assert read_run(tmp_path / "checkpoints") == run | {"skipped_steps": "2"}
    assert evaluate(talks, dataset="flan", test="heldout").returncode == 0
    of = {"test": "heldout", "skipped_steps": "2"}
    assert read_identity(tmp_path / "losses.parquet") == run | of
    (tmp_path / "checkpoints" / RUN).write_text('{"dataset"')
    message = evaluate(talks).stderr.splitlines()[-1]
    assert message.startswith(f"error: {tmp_path}/checkpoints/run.json: not a JSON object; delete")


@pytest.mark.parametrize(
    ("prompt", "damaged", "message"),
    [
        ("the cat " * 64, None, "test.parquet: no instance has a label within 64 tokens"),
        ("the cat", "checkpoints", "checkpoints: no checkpoint"),
        ("the cat", "step-000010/model.safetensors", "model.safetensors: not a whole checkpoint"),
    ],
)
def test_what_cannot_be_evaluated_is_named(
    tmp_path: Path, evaluate: Any, talk: Any, prompt: str, damaged: str | None, message: str
) -> None:
    checkpoints = tmp_path / "checkpoints"
    if damaged == "checkpoints":
        checkpoints.rename(tmp_path / "other")
    elif damaged:
        cut(checkpoints / damaged)
    done = evaluate([talk(prompt, "sat")])
    assert done.returncode == 1
    *log, line = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path}/")
    assert message in line
    # The checkpoint before is evaluated while the damaged one is read.
    progress = r".* step 0: mean loss \d\.\d{4} \(\d+\.\d s, \d+ tokens/s\), \d+ s left"
    assert [bool(re.fullmatch(progress, text)) for text in log[1:]] == [True] * (len(log) > 1)
    assert not (tmp_path / "losses.parquet").exists()
