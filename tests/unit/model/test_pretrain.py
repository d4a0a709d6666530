"""The small base model: its tokenizer, its folder, and the same bytes again."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from files import contents
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from nearfirst.common.errors import InputError
from nearfirst.model.pretrain import pack, pretrain, train_tokenizer
from nearfirst.model.settings import PretrainSettings

TINY = PretrainSettings(
    vocabulary=300,
    hidden_size=16,
    layers=1,
    heads=2,
    intermediate_size=32,
    positions=64,
    block=16,
    batch_size=8,
    steps=40,
    learning_rate=1e-2,
    warmup_steps=2,
    threads=1,
)
DOCUMENTS = [f"{i} apples and {i} pears make {2 * i} fruits." for i in range(80)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrained")
    pretrain(DOCUMENTS, TINY, folder)
    return folder


@pytest.fixture(scope="module")
def byte_level() -> Any:
    return train_tokenizer(DOCUMENTS, 300)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_makes_the_round_trip(byte_level: Any, text: str) -> None:
    ids = byte_level(text, add_special_tokens=False)["input_ids"]
    assert byte_level.decode(ids, clean_up_tokenization_spaces=False) == text


def test_documents_are_packed_between_bos_and_eos(byte_level: Any) -> None:
    assert 258 < len(byte_level) <= 300  # it has learned merges
    blocks = pack(DOCUMENTS, byte_level, 16)
    assert blocks.shape[1] == 16
    text = byte_level.decode(blocks.reshape(-1), clean_up_tokenization_spaces=False)
    whole = "".join(f"<s>{document}</s>" for document in DOCUMENTS)
    assert whole.startswith(text)
    rest = byte_level(whole[len(text) :], add_special_tokens=False)["input_ids"]
    assert len(rest) < 16
    with pytest.raises(InputError, match=r"model\.text\.documents: .* one block of 64"):
        pack(["a cat", "a mat"], byte_level, 64)


def test_the_folder_loads_as_any_pretrained_model_and_has_learned_the_text(
    trained: Path, byte_level: Any
) -> None:
    model = AutoModelForCausalLM.from_pretrained(trained)
    tokenizer = AutoTokenizer.from_pretrained(trained)
    assert tokenizer.get_vocab() == byte_level.get_vocab()
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<s>", "</s>")
    expected = {
        **{"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id},
        **{"vocab_size": len(tokenizer), "dtype": torch.float32},
        **{"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
    }
    assert {key: getattr(model.config, key) for key in expected} == expected
    ids = torch.tensor([tokenizer(f"<s>{DOCUMENTS[7]}</s>", add_special_tokens=False)["input_ids"]])
    with torch.no_grad():
        loss = model(input_ids=ids, labels=ids).loss.item()
    assert loss < math.log(len(tokenizer)) - 1.5


def test_the_program_writes_the_same_bytes_again_and_another_seed_does_not(
    tmp_path: Path, program: Any, trained: Path
) -> None:
    text = tmp_path / "text.jsonl"
    text.write_text("".join(json.dumps(document) + "\n" for document in DOCUMENTS))
    for seed, differ in ((0, set()), (1, {"model.safetensors"})):
        settings = TINY.model_copy(update={"seed": seed}).canonical()
        flags = ("--text", text, "--output", tmp_path / "model", "--settings", settings)
        done = program("pretrain.py", *flags)
        assert done.returncode == 0, done.stderr
        assert "parameters, 1072 tokens of text, 40 steps of 128 tokens" in done.stderr
        new, first = contents(tmp_path / "model"), contents(trained)
        assert {"model.safetensors", "config.json", "tokenizer.json"} <= new.keys()
        assert {name for name in new | first if new.get(name) != first.get(name)} == differ
