"""Damaged checkpoints: named in one line, never used."""

import random
from pathlib import Path
from typing import Any

import pytest

from nearfirst.common.errors import InputError

FILE = "checkpoints/flan/random/seed-0/0-end/step-000008/model.safetensors"


@pytest.fixture(scope="module")
def content(results: Path) -> bytes:
    return (results / FILE).read_bytes()


@pytest.fixture(scope="module")
def header(content: bytes) -> int:
    """The bytes of the header with its length; after them come the weights."""
    return 8 + int.from_bytes(content[:8], "little")


@pytest.fixture(scope="module")
def model(results: Path) -> Any:
    from nearfirst.model import load

    return load.empty_model(str(results / "model"))


def loaded(model: Any, folder: Path, content: bytes) -> dict[str, bytes]:
    """Load a file of this content; return the weights that the model has then."""
    import torch

    from nearfirst.model import checkpoints

    (folder / "model.safetensors").write_bytes(content)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(7)
    checkpoints.load_weights(model, folder)
    return {name: p.detach().numpy().tobytes() for name, p in model.named_parameters()}


def test_a_checkpoint_is_refused_wherever_it_was_cut(
    tmp_path: Path, model: Any, content: bytes, header: int
) -> None:
    lengths = random.Random(0).sample(range(len(content)), 100)
    for length in [0, 4, 8, header // 2, header - 1, header, len(content) - 1, *lengths]:
        with pytest.raises(InputError, match=r"^\S+/model\.safetensors: not a whole checkpoint"):
            loaded(model, tmp_path, content[:length])


def test_a_flipped_byte_in_the_header_is_seen_or_changes_nothing(
    tmp_path: Path, model: Any, content: bytes, header: int
) -> None:
    expected = loaded(model, tmp_path, content)
    generator = random.Random(1)
    refused, harmless = 0, 0
    for place in generator.sample(range(header), 400):
        flipped = bytearray(content)
        flipped[place] ^= generator.randrange(1, 256)
        try:
            found = loaded(model, tmp_path, bytes(flipped))
        except InputError as error:
            refused += str(tmp_path / "model.safetensors") in str(error)
        else:
            assert found == expected, place
            harmless += 1
    assert refused + harmless == 400
    assert refused > 300
    for letter in b"IU":  # integers are as long as the numbers
        other = content.replace(b'"F32"', b'"%c32"' % letter, 1)
        with pytest.raises(InputError, match=r"^\S+/model\.safetensors: "):
            loaded(model, tmp_path, other)
