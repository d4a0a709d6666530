"""Weights of checkpoints: loading, refusals, and reading ahead in a thread."""

import queue
import random
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from files import flip
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.common.identity import write_run
from nearfirst.model import checkpoints, load


@pytest.fixture
def model(model_folder: Path) -> Any:
    return load.empty_model(str(model_folder))


@pytest.fixture
def written(tmp_path: Path, model_folder: Path) -> list[Path]:
    """Five checkpoints with different weights, in float16."""
    weights = load_file(model_folder / "model.safetensors")
    folders = [tmp_path / f"step-{step:06d}" for step in range(5)]
    for step, folder in enumerate(folders):
        folder.mkdir()
        half = {name: (tensor + step).half() for name, tensor in weights.items()}
        save_file(half, folder / "model.safetensors")
    return folders


def single(folders: list[Path]) -> list[list[Path]]:
    return [[folder] for folder in folders]


def test_the_mean_of_the_last_checkpoints(model: Any, written: list[Path]) -> None:
    steps = [load_file(folder / "model.safetensors") for folder in written]
    windows = checkpoints.windows(written, [], 3)
    assert windows == [written[max(0, i - 2) : i + 1] for i in range(5)]
    # Checkpoints of an earlier segment count, too.
    (before := written[0].with_name("before")).mkdir()
    earlier = [before / folder.name for folder in written[:3]]
    for link, folder in zip(earlier, written, strict=False):
        link.symlink_to(folder)
    expected = [[*earlier[1:], written[3]], [earlier[2], *written[3:]]]
    assert checkpoints.windows(written[3:], [before], 3) == expected
    assert checkpoints.windows(written, [], 1) == single(written)
    for i, window in enumerate(checkpoints.stream_weights(model, windows)):
        assert window == windows[i]
        for name, tensor in model.named_parameters():
            weights = torch.stack([step[name].double() for step in steps[max(0, i - 2) : i + 1]])
            assert torch.allclose(tensor.double(), weights.mean(0), rtol=1e-6, atol=1e-7)
    assert not torch.equal(tensor, steps[4][name].float())


def test_one_checkpoint_is_read_ahead_and_no_more(
    model: Any, written: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: queue.Queue[Path] = queue.Queue()
    safe_open = checkpoints.safe_open

    def spy(path: Path, **kwargs: Any) -> Any:
        opened.put(path.parent)
        return safe_open(path, **kwargs)

    monkeypatch.setattr(checkpoints, "safe_open", spy)
    with closing(checkpoints.stream_weights(model, single(written))) as loaded:
        assert next(loaded) == [opened.get(timeout=60)] == [written[0]]
        for folder in written[1:3]:
            # Opened before it is asked for, and none after it.
            assert opened.get(timeout=60) == folder
            assert opened.empty()
            assert next(loaded) == [folder]


def test_a_flipped_bit_and_a_missing_step_are_named(model: Any, written: list[Path]) -> None:
    folder = written[0].parent
    names = [f"{step.name}/model.safetensors" for step in written]
    sums = {name: sha256(folder / name) for name in names}
    write_run(folder, {}, sums)
    assert checkpoints.checkpoints_in(folder) == written
    for window in checkpoints.windows(written, [], 2):
        *_, loaded = checkpoints.stream_weights(model, [window])
        assert loaded == window
    flip(written[1] / "model.safetensors")  # in the middle, among the weights
    again = f"delete the folder {folder} and run snakemake again"
    damaged = f"^{written[1]}/model.safetensors: .*its SHA-256 differs .*; {again}"
    with pytest.raises(InputError, match=damaged):
        checkpoints.load_weights(model, written[1])
    with pytest.raises(InputError, match=damaged):
        list(checkpoints.stream_weights(model, [written[1:3]]))
    shutil.rmtree(written[4])
    with pytest.raises(InputError, match=f"^{written[4]} is missing; {again}"):
        checkpoints.checkpoints_in(folder)


def test_a_checkpoint_is_refused_wherever_it_was_damaged(model: Any, written: list[Path]) -> None:
    file = written[1] / "model.safetensors"
    content, names = file.read_bytes(), [name for name, _ in model.named_parameters()]

    def loaded(content: bytes) -> list[bytes]:
        file.write_bytes(content)
        checkpoints.load_weights(model, written[0])
        checkpoints.load_weights(model, written[1])
        return [model.get_parameter(name).detach().numpy().tobytes() for name in names]

    expected = loaded(content)
    # The header with its length; the weights follow.
    header = 8 + int.from_bytes(content[:8], "little")
    generator = random.Random(1)
    lengths = generator.sample(range(len(content)), 100)
    for length in [0, 4, 8, header // 2, header - 1, header, len(content) - 1, *lengths]:
        with pytest.raises(InputError, match=f"^{file}: not a whole checkpoint"):
            loaded(content[:length])
    refused = 0
    for offset in generator.sample(range(header), 400):
        flipped = bytearray(content)
        flipped[offset] ^= generator.randrange(1, 256)
        try:
            weights = loaded(bytes(flipped))
        except InputError as error:
            refused += str(file) in str(error)
        else:
            assert weights == expected, offset
    assert refused > 300


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_hidden_layers": 1}, "tensor '.+' is not in both"),
        ({"tie_word_embeddings": False}, "tensor '.+' is not in both"),
        ({"vocab_size": 320}, "has shape"),
        ({"intermediate_size": 1}, "has shape"),  # it must not be spread over the whole tensor
    ],
)
def test_weights_of_another_model_are_refused(
    tmp_path: Path, model: Any, model_folder: Path, changes: dict[str, Any], message: str
) -> None:
    LlamaForCausalLM(LlamaConfig.from_pretrained(model_folder, **changes)).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=rf"model\.safetensors: .*{message}"):
        checkpoints.load_weights(model, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"model\.safetensors"):
        checkpoints.load_weights(model, tmp_path)
    with pytest.raises(InputError, match="no checkpoint"):
        checkpoints.checkpoints_in(tmp_path)
