"""Losses against those that plain transformers computes, one instance at a time."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from nearfirst.common.errors import InputError
from nearfirst.evaluate import loss
from nearfirst.model import checkpoints, load
from nearfirst.model.template import Tokens, encode


def plain_losses(folder: Path, tokens: list[Tokens]) -> list[float]:
    """Mean cross entropy over the labels of each instance, by the model's own loss."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    result = []
    for item in tokens:
        ids, labels = torch.from_numpy(item.ids)[None], torch.from_numpy(item.labels)[None]
        with torch.no_grad():
            result.append(model(input_ids=ids, labels=labels).loss.item())
    return result


def save_other(base: Path, folder: Path, seed: int, **changes: Any) -> Path:
    """Save a checkpoint of the base model's shape with other random weights."""
    config = LlamaConfig.from_pretrained(base, **changes)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # far from uniform, so that losses differ
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def talks(some_talks: Any, talk: Any) -> list[Any]:
    dialogue = talk("one", "eins", "two", "zwei is the answer", "three", "drei")
    return [*some_talks(12), dialogue, talk("猫? " * 6, "кошка")]


@pytest.fixture(scope="module")
def tokens(talks: list[Any], tokenizer: Any) -> list[Tokens]:
    return encode(talks, tokenizer, 64)


@pytest.mark.parametrize("tied", [True, False])
def test_losses_are_those_of_plain_transformers(
    tmp_path: Path, model_folder: Path, tokens: list[Tokens], tied: bool
) -> None:
    folder = save_other(model_folder, tmp_path / "step", 1, tie_word_embeddings=tied)
    expected = plain_losses(folder, tokens)
    assert np.std(expected) > 0.1
    model = load.empty_model(str(folder))
    checkpoints.load_weights(model, folder)
    for batch_tokens in (1, 128, 100_000):
        found = loss.losses(model, tokens, batch_tokens)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_neighbours_in_a_batch_do_not_matter(model_folder: Path, tokens: list[Tokens]) -> None:
    model = load.load_model(str(model_folder)).eval()
    alone = loss.losses(model, tokens, 1)
    for batch_tokens in (100, 100_000):
        found = loss.losses(model, tokens, batch_tokens)
        np.testing.assert_allclose(found, alone, rtol=1e-6, atol=1e-6)
    back = loss.losses(model, tokens[::-1], 100_000)[::-1]
    np.testing.assert_allclose(back, alone, rtol=1e-6, atol=1e-6)


def test_weights_are_replaced_each_time(
    tmp_path: Path, model_folder: Path, tokens: list[Tokens]
) -> None:
    folders = [save_other(model_folder, tmp_path / f"step-{seed}", seed) for seed in (1, 2)]
    expected = [plain_losses(folder, tokens) for folder in folders]
    assert np.abs(np.subtract(*expected)).min() > 1e-3
    model = load.empty_model(str(model_folder))
    for turn in (0, 1, 0):
        checkpoints.load_weights(model, folders[turn])
        found = loss.losses(model, tokens, 512)
        np.testing.assert_allclose(found, expected[turn], rtol=0, atol=1e-5)


def test_a_float16_checkpoint_goes_into_a_float32_model(tmp_path: Path, model_folder: Path) -> None:
    weights = load_file(model_folder / "model.safetensors")
    half = {name: tensor.half() for name, tensor in weights.items()}
    save_file(half, tmp_path / "model.safetensors")
    model = load.empty_model(str(model_folder))
    checkpoints.load_weights(model, tmp_path)
    for name, parameter in model.named_parameters():
        assert parameter.dtype == torch.float32
        assert torch.equal(parameter, half[name].float())


def test_a_damaged_checkpoint_is_refused(tmp_path: Path, model_folder: Path) -> None:
    whole = (model_folder / "model.safetensors").read_bytes()
    model = load.empty_model(str(model_folder))
    file = tmp_path / "model.safetensors"
    for content in (b"", whole[:100], whole[:-1], b"\xff" * 64 + whole[64:], b"no weights at all"):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"model\.safetensors: not a whole checkpoint"):
            checkpoints.load_weights(model, tmp_path)
    file.unlink()
    with pytest.raises(InputError, match=r"model\.safetensors"):
        checkpoints.load_weights(model, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{"num_hidden_layers": 1}, {"num_hidden_layers": 3}, {"tie_word_embeddings": False}],
)
def test_other_tensors_are_refused(
    tmp_path: Path, model_folder: Path, changes: dict[str, Any]
) -> None:
    folder = save_other(model_folder, tmp_path, 1, **changes)
    with pytest.raises(InputError, match=r"tensor '.+' is not in both"):
        checkpoints.load_weights(load.empty_model(str(model_folder)), folder)


@pytest.mark.parametrize("changes", [{"vocab_size": 320}, {"intermediate_size": 1}])
def test_tensors_of_another_shape_are_refused(
    tmp_path: Path, model_folder: Path, changes: dict[str, Any]
) -> None:
    # A width of 1 must not be spread over the whole tensor.
    folder = save_other(model_folder, tmp_path, 1, **changes)
    with pytest.raises(InputError, match=r"model\.safetensors"):
        checkpoints.load_weights(load.empty_model(str(model_folder)), folder)


def test_the_program_writes_a_row_an_instance_and_checkpoint(
    tmp_path: Path,
    program: Any,
    talk: Any,
    talks: list[Any],
    tokenizer: Any,
    model_folder: Path,
    write_instances: Any,
) -> None:
    # The second and the last lose their answer to a prompt longer than 64 tokens.
    long = talk("the cat " * 64, "sat")
    given = [talks[0], long, *talks[1:], long]
    ids = write_instances(tmp_path / "test.parquet", given)
    kept = [row for row, item in enumerate(given) if item is not long]
    tokens = encode([given[row] for row in kept], tokenizer, 64)
    folders = {
        step: save_other(model_folder, tmp_path / f"checkpoints/step-{step:06d}", step)
        for step in (20, 0, 10)
    }
    output = tmp_path / "losses.parquet"
    done = program(
        *("evaluate.py", "--model", model_folder, "--instances", tmp_path / "test.parquet"),
        *("--checkpoints", tmp_path / "checkpoints", "--output", output),
        *("--template", '{"max_length":64}', "--settings", '{"batch_tokens":256}'),
    )
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert table.schema.remove_metadata() == pa.schema(
        [
            ("step", pa.int32()),
            ("id", pa.string()),
            ("task", pa.string()),
            ("loss", pa.float32()),
            ("label_tokens", pa.int32()),
        ]
    )
    assert table.schema.metadata[b"left_out"] == b"2"
    frame = table.to_pandas()
    assert sorted(frame["step"].unique()) == [0, 10, 20]
    for step, folder in folders.items():
        rows = frame[frame["step"] == step]
        assert rows["id"].tolist() == [ids[row] for row in kept]
        assert rows["task"].tolist() == [f"task-{row % 3}" for row in kept]
        assert rows["label_tokens"].tolist() == [int((t.labels != -100).sum()) for t in tokens]
        np.testing.assert_allclose(rows["loss"], plain_losses(folder, tokens), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("prompt", "checkpoint", "message"),
    [
        ("the cat " * 64, "step-000000", "no instance has a label within 64 tokens"),
        ("the cat", "other", "checkpoints: no checkpoint"),
    ],
)
def test_nothing_to_evaluate_is_an_error(
    tmp_path: Path,
    program: Any,
    talk: Any,
    model_folder: Path,
    write_instances: Any,
    prompt: str,
    checkpoint: str,
    message: str,
) -> None:
    write_instances(tmp_path / "test.parquet", [talk(prompt, "sat")])
    save_other(model_folder, tmp_path / "checkpoints" / checkpoint, 0)
    log, output = tmp_path / "evaluate.log", tmp_path / "losses.parquet"
    done = program(
        *("evaluate.py", "--model", model_folder, "--instances", tmp_path / "test.parquet"),
        *("--checkpoints", tmp_path / "checkpoints", "--output", output, "--log", log),
        *("--template", '{"max_length":64}'),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert done.stderr in log.read_text()
    assert not output.exists()
