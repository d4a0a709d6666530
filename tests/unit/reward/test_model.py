"""Loading reward models: the published layout, written by hand, and faulty folders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    GPT2Config,
    LlamaConfig,
    LlamaModel,
)

from nearfirst.common.errors import InputError
from nearfirst.model import precision
from nearfirst.reward.model import HEAD, LlamaRewardModel, load_reward_model

SIZES = {"vocab_size": 300, "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
CONFIG = {
    **SIZES,
    "architectures": ["LlamaRewardModel"],
    "model_type": "llama",
    "max_position_embeddings": 64,
    "num_hidden_layers": 2,
    "torch_dtype": "float16",
}
State = dict[str, torch.Tensor]


def weights() -> State:
    """Tensors by their published names, in half precision as published."""
    config = LlamaConfig(**{**CONFIG, "torch_dtype": None})
    torch.manual_seed(0)
    backbone = LlamaModel(config).state_dict()
    state = {f"model.{name}": (3 * tensor).half() for name, tensor in backbone.items()}
    return {**state, HEAD: torch.randn(1, 16).half()}


def write_shards(folder: Path, state: State, name: str, save: Callable[..., Any]) -> list[Path]:
    """Write three shards and their index; return the shards."""
    files = {tensor: name.format(1 + i % 3) for i, tensor in enumerate(sorted(state))}
    for file in set(files.values()):
        save({tensor: state[tensor] for tensor in state if files[tensor] == file}, folder / file)
    index = {"metadata": {"total_size": 1}, "weight_map": files}
    (folder / f"{name.replace('-{:05d}-of-00003', '')}.index.json").write_text(json.dumps(index))
    return sorted(folder / file for file in set(files.values()))


def write_bins(folder: Path, state: State) -> list[Path]:
    """Write files like those of openbmb/UltraRM-13b."""
    return write_shards(folder, state, "pytorch_model-{:05d}-of-00003.bin", torch.save)


def write_safetensors(folder: Path, state: State) -> list[Path]:
    return write_shards(folder, state, "model-{:05d}-of-00003.safetensors", save_file)


LAYOUTS = [write_bins, write_safetensors]


@pytest.fixture
def folder(tmp_path: Path, tokenizer: Any) -> Path:
    """A reward model's folder without weights."""
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def by_hand(state: State, ids: list[int]) -> float:
    """The reward of one text, from the hidden states of a plain LlamaModel."""
    backbone = LlamaModel(LlamaConfig(**{**CONFIG, "torch_dtype": None}))
    tensors = {name.removeprefix("model."): t.float() for name, t in state.items() if name != HEAD}
    backbone.load_state_dict(tensors)
    with torch.no_grad():
        hidden = backbone(torch.tensor([ids])).last_hidden_state
    return float(hidden[0, -1] @ state[HEAD][0].float())


@pytest.mark.parametrize("write", LAYOUTS)
def test_the_published_layout_is_read(folder: Path, write: Callable[..., Any]) -> None:
    state = weights()
    write(folder, state)
    model, _ = load_reward_model(str(folder))
    assert isinstance(model, LlamaRewardModel)
    assert not model.training
    assert {name: p.dtype for name, p in model.named_parameters()} == dict.fromkeys(
        state, torch.float32
    )
    # The reward is read at the last real token.
    texts = [[5, 6, 7, 8, 9], [5, 6], [0, 0, 0]]
    padded = torch.tensor([text + [0] * (5 - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (5 - len(text)) for text in texts])
    with torch.no_grad():
        logits = model(padded, mask).logits
    assert logits.shape == (3, 1)
    assert logits.std() > 0.1
    assert logits[:, 0].tolist() == pytest.approx([by_hand(state, ids) for ids in texts], abs=1e-5)


def test_bfloat16_leaves_the_head_exact(folder: Path) -> None:
    state = weights()
    write_bins(folder, state)
    model, _ = load_reward_model(str(folder))
    with torch.no_grad(), precision.autocast("bfloat16"):
        ids = torch.tensor([[5, 6, 7, 8, 9]])
        hidden = model.model(ids).last_hidden_state
        logits = model(ids, torch.ones_like(ids)).logits
    assert logits.dtype == torch.float32
    # A float32 product of hidden states that were computed in bfloat16.
    exact = hidden[0, -1].float() @ state[HEAD][0].float()
    assert float(logits) == pytest.approx(float(exact), rel=1e-6)
    assert 0 < abs(float(logits) - by_hand(state, ids[0].tolist())) < 0.1


def test_old_buffers_and_code_beside_the_weights_are_ignored(folder: Path) -> None:
    state = weights()
    buffers = {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.ones(4) for i in (0, 1)}
    write_bins(folder, {**state, **buffers})
    auto = {"auto_map": {"AutoModel": "modeling_llama_rm.LlamaRewardModel"}}
    (folder / "config.json").write_text(json.dumps({**CONFIG, **auto}))
    (folder / "modeling_llama_rm.py").write_text("raise SystemExit('this code was run')")
    model, _ = load_reward_model(str(folder))
    assert torch.equal(model.regression_head.weight, state[HEAD].float())


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_reward_model(str(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("write", LAYOUTS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({HEAD: None}, f"tensor '{HEAD}' is missing: this is a language model"),
        ({HEAD: torch.ones(2, 16)}, f"'{HEAD}' has shape [2, 16], but by config.json [1, 16]"),
        ({"model.norm.weight": None}, "tensor 'model.norm.weight' is missing; "),
        ({"model.norm.weight": torch.ones(8)}, "'model.norm.weight' has shape [8], but"),
        ({"b": torch.ones(1), "a": torch.ones(1)}, "tensor 'a' (and 1 more) is not part of"),
    ],
)
def test_other_tensors_are_refused_by_name(
    folder: Path, write: Callable[..., Any], changes: dict[str, Any], message: str
) -> None:
    state = {**weights(), **changes}
    write(folder, {name: tensor for name, tensor in state.items() if tensor is not None})
    error = refused(folder)
    assert error.startswith(f"{folder}: ")
    assert message in error


@pytest.mark.parametrize("write", LAYOUTS)
@pytest.mark.parametrize("kept", [0, 700, -1])
def test_a_truncated_file_is_named(folder: Path, write: Callable[..., Any], kept: int) -> None:
    damaged = write(folder, weights())[-1]
    damaged.write_bytes(damaged.read_bytes()[:kept])
    assert refused(folder).startswith(f"{damaged}: the weights cannot be loaded (")


def test_missing_and_damaged_files_are_refused(folder: Path) -> None:
    assert "no file named model.safetensors" in refused(folder)
    shard = write_bins(folder, weights())[1]
    shard.unlink()
    assert shard.name in refused(folder)
    write_bins(folder, weights())
    for text in ('{"weight_map"', "[]"):
        (folder / "pytorch_model.bin.index.json").write_text(text)
        assert "the weights cannot be loaded" in refused(folder)
    (folder / "pytorch_model.bin.index.json").unlink()
    torch.save([1, 2], folder / "pytorch_model.bin")  # no tensors by name
    assert refused(folder).startswith(f"{folder}: the weights cannot be loaded (TypeError")
    write_safetensors(folder, weights())
    (folder / "tokenizer.json").unlink()
    assert f"{folder}: the tokenizer cannot be loaded" in refused(folder)
    (folder / "config.json").write_text(json.dumps({**CONFIG, "hidden_size": "16"}))
    assert "expected int" in refused(folder)
    (folder / "config.json").unlink()
    assert refused(folder).startswith(f"reward.name: '{folder}' cannot be loaded (")
    error = refused(folder / "missing")
    assert error.startswith(
        f"reward.name: '{folder / 'missing'}' cannot be loaded (no such folder)"
    )


@pytest.mark.parametrize("kind", [LlamaConfig, BertConfig])
def test_sequence_classifiers_need_one_label(folder: Path, kind: Any) -> None:
    for labels in (1, 2):
        config = kind(**SIZES, num_hidden_layers=1, num_labels=labels)
        AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
        if labels == 1:
            model, _ = load_reward_model(str(folder))
            assert type(model).__name__.endswith("ForSequenceClassification")
    assert "ForSequenceClassification with 2 labels; a reward model has one" in refused(folder)


def test_other_models_are_refused(folder: Path) -> None:
    GPT2Config(architectures=["GPT2LMHeadModel"]).save_pretrained(folder)
    assert "GPT2LMHeadModel of type gpt2 is not a reward model" in refused(folder)


def test_config_and_tokenizer_are_checked_without_weights(
    folder: Path, program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check() -> str:
        done = program("check_reward.py", "--reward-model", folder)
        assert "Traceback" not in done.stderr
        return str(done.stderr) if done.returncode else ""

    assert not [*folder.glob("*.bin"), *folder.glob("*.safetensors")]
    assert check() == ""
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.model").write_bytes(b"SentencePiece")
    monkeypatch.setattr(
        "nearfirst.model.load_errors.find_spec", lambda module: module != "sentencepiece" or None
    )
    assert "is a SentencePiece file, and reading that needs sentencepiece and" in check()
    # The index of the shards names no head.
    index = {"weight_map": {"model.norm.weight": "pytorch_model-00001-of-00003.bin"}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert f"tensor '{HEAD}' is missing" in check()
