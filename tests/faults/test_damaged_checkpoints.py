"""A damaged checkpoint is refused wherever the damage is, or changes nothing."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from nearfirst.common.errors import InputError
from nearfirst.model import checkpoints, load

FILE = "checkpoints/flan/random/seed-0/0-end/step-000008/model.safetensors"
HEADER = r"^\S+/model\.safetensors: "


def loaded(model: Any, folder: Path, content: bytes) -> dict[str, bytes]:
    """Load a file of this content; return the model's weights."""
    (folder / "model.safetensors").write_bytes(content)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(7)
    checkpoints.load_weights(model, folder)
    return {name: p.detach().numpy().tobytes() for name, p in model.named_parameters()}


def test_a_checkpoint_is_refused_wherever_it_was_damaged(results: Path, tmp_path: Path) -> None:
    model = load.empty_model(str(results / "model/seed-0"))
    content = (results / FILE).read_bytes()
    expected = loaded(model, tmp_path, content)
    # The header with its length; the weights follow.
    header = 8 + int.from_bytes(content[:8], "little")
    generator = random.Random(1)
    lengths = generator.sample(range(len(content)), 100)
    for length in [0, 4, 8, header // 2, header - 1, header, len(content) - 1, *lengths]:
        with pytest.raises(InputError, match=f"{HEADER}not a whole checkpoint"):
            loaded(model, tmp_path, content[:length])
    refused = 0
    for offset in generator.sample(range(header), 400):
        flipped = bytearray(content)
        flipped[offset] ^= generator.randrange(1, 256)
        try:
            weights = loaded(model, tmp_path, bytes(flipped))
        except InputError as error:
            refused += str(tmp_path / "model.safetensors") in str(error)
        else:
            assert weights == expected, offset
    assert refused > 300
    for letter in b"IU":  # integers of the same size
        with pytest.raises(InputError, match=HEADER):
            loaded(model, tmp_path, content.replace(b'"F32"', b'"%c32"' % letter, 1))
