"""The small base model: its tokenizer, its folder, and that it is made again to the byte."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from nearfirst.common.errors import InputError
from nearfirst.model.pretrain import Blocks, pretrain, train_tokenizer
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


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("pretrained")
    return folder, pretrain(DOCUMENTS, TINY, folder)


@pytest.fixture(scope="module")
def byte_level() -> Any:
    return train_tokenizer(DOCUMENTS, 300)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_makes_the_round_trip(byte_level: Any, text: str) -> None:
    ids = byte_level(text, add_special_tokens=False)["input_ids"]
    assert byte_level.decode(ids, clean_up_tokenization_spaces=False) == text


def test_the_tokenizer_has_bos_eos_and_learned_merges(byte_level: Any) -> None:
    assert (byte_level.bos_token, byte_level.eos_token) == ("<s>", "</s>")
    assert byte_level.bos_token_id != byte_level.eos_token_id
    assert 258 < len(byte_level) <= 300
    assert len(byte_level(" apples", add_special_tokens=False)["input_ids"]) < 7


def test_documents_are_packed_between_bos_and_eos(byte_level: Any) -> None:
    blocks = Blocks(DOCUMENTS, byte_level, 16)
    text = byte_level.decode(blocks.tokens.reshape(-1), clean_up_tokenization_spaces=False)
    whole = "".join(f"<s>{document}</s>" for document in DOCUMENTS)
    assert whole.startswith(text)
    rest = byte_level(whole[len(text) :], add_special_tokens=False)["input_ids"]
    assert len(rest) < 16
    assert blocks.tokens.shape == (len(blocks), 16)
    for i in (0, len(blocks) - 1):
        assert torch.equal(blocks[i]["input_ids"], blocks.tokens[i])
        assert torch.equal(blocks[i]["labels"], blocks.tokens[i])


def test_the_folder_loads_as_any_pretrained_model(
    trained: tuple[Path, dict[str, Any]], byte_level: Any
) -> None:
    folder, told = trained
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.get_vocab() == byte_level.get_vocab()
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<s>", "</s>")
    config = model.config
    assert (config.bos_token_id, config.eos_token_id) == (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
    )
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (16, 1, 2)
    assert config.vocab_size == len(tokenizer)
    assert model.dtype == torch.float32
    assert told["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    assert told["tokens_seen"] == 40 * 8 * 16


def test_the_saved_weights_have_learned_the_text(trained: tuple[Path, dict[str, Any]]) -> None:
    model = AutoModelForCausalLM.from_pretrained(trained[0])
    tokenizer = AutoTokenizer.from_pretrained(trained[0])
    ids = torch.tensor([tokenizer(f"<s>{DOCUMENTS[7]}</s>", add_special_tokens=False)["input_ids"]])
    with torch.no_grad():
        loss = model(input_ids=ids, labels=ids).loss.item()
    assert loss < math.log(len(tokenizer)) - 1.5


def test_two_runs_give_the_same_bytes(
    tmp_path: Path, program: Any, trained: tuple[Path, dict[str, Any]]
) -> None:
    # The one in this process, the other by the program.
    text = tmp_path / "text.jsonl"
    text.write_text("".join(json.dumps(document) + "\n" for document in DOCUMENTS))
    done = program(
        *("pretrain.py", "--text", text, "--output", tmp_path / "model"),
        *("--settings", TINY.canonical()),
    )
    assert done.returncode == 0, done.stderr
    again = contents(tmp_path / "model")
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= again.keys()
    assert again == contents(trained[0])


def test_another_seed_gives_other_weights(
    tmp_path: Path, trained: tuple[Path, dict[str, Any]]
) -> None:
    pretrain(DOCUMENTS, TINY.model_copy(update={"seed": 1}), tmp_path)
    found, before = contents(tmp_path), contents(trained[0])
    assert found["model.safetensors"] != before["model.safetensors"]
    assert found["tokenizer.json"] == before["tokenizer.json"]


def test_too_little_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.text\.documents: .* one block of 64"):
        pretrain(["a cat", "a mat"], TINY.model_copy(update={"block": 64}), tmp_path)
    assert contents(tmp_path) == {}


def test_an_empty_text_file_is_one_clear_line(tmp_path: Path, program: Any) -> None:
    text = tmp_path / "text.jsonl"
    text.touch()
    done = program("pretrain.py", "--text", text, "--output", tmp_path / "model")
    assert done.returncode == 1
    assert done.stderr == f"error: {text}: the file is empty\n"
    assert [path.name for path in tmp_path.iterdir()] == ["text.jsonl"]
