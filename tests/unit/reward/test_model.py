"""Reward models from disk: the published layout, written by hand, and what can be wrong with it."""

import json
import os
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
from nearfirst.reward.model import HEAD, LlamaRewardModel, load_reward_model

CONFIG = {
    "architectures": ["LlamaRewardModel"],
    "model_type": "llama",
    "bos_token_id": 0,
    "eos_token_id": 1,
    "hidden_act": "silu",
    "hidden_size": 16,
    "initializer_range": 0.02,
    "intermediate_size": 24,
    "max_position_embeddings": 64,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "rms_norm_eps": 1e-05,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "vocab_size": 300,
}
State = dict[str, torch.Tensor]


def weights() -> State:
    """Tensors by their published names, in half precision as they are published."""
    config = LlamaConfig(**{**CONFIG, "torch_dtype": None})
    torch.manual_seed(0)
    backbone = LlamaModel(config).state_dict()
    state = {f"model.{name}": (3 * tensor).half() for name, tensor in backbone.items()}
    return {**state, HEAD: torch.randn(1, 16).half()}


def write_bins(folder: Path, state: State) -> list[Path]:
    """Write shards and index as openbmb/UltraRM-13b has them."""
    names = sorted(state)
    paths, placed = [], {}
    for number in range(3):
        file = f"pytorch_model-{number + 1:05d}-of-00003.bin"
        torch.save({name: state[name] for name in names[number::3]}, folder / file)
        placed.update(dict.fromkeys(names[number::3], file))
        paths.append(folder / file)
    index = {"metadata": {"total_size": 1}, "weight_map": placed}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    return paths


def write_safetensors(folder: Path, state: State) -> list[Path]:
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    return [folder / "model.safetensors"]


def write_sharded_safetensors(folder: Path, state: State) -> list[Path]:
    names = sorted(state)
    placed = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(names)}
    for file in set(placed.values()):
        save_file({n: state[n] for n in names if placed[n] == file}, folder / file)
    index = {"metadata": {"total_size": 1}, "weight_map": placed}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return sorted(folder / file for file in set(placed.values()))


LAYOUTS = [write_bins, write_safetensors, write_sharded_safetensors]


@pytest.fixture
def folder(tmp_path: Path, tokenizer: Any) -> Path:
    """A reward model's folder, but for its weights."""
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def by_hand(state: State, ids: list[int]) -> float:
    """The reward of one text, from the hidden states of a plain LlamaModel."""
    backbone = LlamaModel(LlamaConfig(**{**CONFIG, "torch_dtype": None}))
    prefix = "model."
    backbone.load_state_dict(
        {name.removeprefix(prefix): t.float() for name, t in state.items() if name[0] == "m"}
    )
    with torch.no_grad():
        hidden = backbone(torch.tensor([ids])).last_hidden_state
    return float(hidden[0, -1] @ state[HEAD][0].float())


@pytest.mark.parametrize("write", LAYOUTS)
def test_the_published_layout_is_read(folder: Path, write: Callable[..., Any]) -> None:
    state = weights()
    write(folder, state)
    model, tokenizer = load_reward_model(str(folder))
    assert isinstance(model, LlamaRewardModel)
    assert not model.training
    assert {name: p.dtype for name, p in model.named_parameters()} == dict.fromkeys(
        state, torch.float32
    )
    ids = tokenizer("the cat sat")["input_ids"]
    with torch.no_grad():
        found = model(torch.tensor([ids]), torch.ones(1, len(ids)))
    assert found.logits.shape == (1, 1)
    assert abs(by_hand(state, ids)) > 0.1
    assert found.logits.item() == pytest.approx(by_hand(state, ids), abs=1e-5)


def test_the_reward_stands_at_the_last_real_token(folder: Path) -> None:
    state = weights()
    write_bins(folder, state)
    model, _ = load_reward_model(str(folder))
    texts = [[5, 6, 7, 8, 9], [5, 6], [0, 0, 0]]
    padded = torch.tensor([text + [0] * (5 - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (5 - len(text)) for text in texts])
    with torch.no_grad():
        found = model(padded, mask).logits[:, 0].tolist()
        unmasked = model(padded).logits[:, 0].tolist()
    assert found == pytest.approx([by_hand(state, text) for text in texts], abs=1e-5)
    assert unmasked == pytest.approx([by_hand(state, ids) for ids in padded.tolist()], abs=1e-5)


def test_a_model_that_is_saved_has_the_published_layout(tmp_path: Path, tokenizer: Any) -> None:
    LlamaRewardModel(LlamaConfig(**CONFIG)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["architectures"], config["model_type"]) == (["LlamaRewardModel"], "llama")
    model, _ = load_reward_model(str(tmp_path))
    assert model.state_dict().keys() == weights().keys()


def test_old_buffers_and_code_beside_the_weights_are_left_alone(folder: Path) -> None:
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
        ({HEAD: None}, f"tensor '{HEAD}' is missing: that is a language model"),
        ({HEAD: torch.ones(1, 32)}, f"'{HEAD}' has shape [1, 32], by config.json it should have"),
        ({HEAD: torch.ones(2, 16)}, "has shape [2, 16], by config.json it should have [1, 16]"),
        ({"model.norm.weight": None}, "tensor 'model.norm.weight' is missing; take weights"),
        ({"lm_head.weight": torch.ones(2)}, "tensor 'lm_head.weight' is not part of such a model"),
        ({"model.norm.weight": torch.ones(8)}, "'model.norm.weight' has shape [8], by config.json"),
        ({"b": torch.ones(1), "a": torch.ones(1)}, "tensor 'a' (and 1 more) is not part of"),
    ],
)
def test_other_tensors_are_refused_by_name(
    folder: Path, write: Callable[..., Any], changes: dict[str, Any], message: str
) -> None:
    state = {**weights(), **changes}
    write(folder, {name: tensor for name, tensor in state.items() if tensor is not None})
    said = refused(folder)
    assert said.startswith(f"{folder}: ")
    assert message in said


def test_another_hidden_size_is_refused(folder: Path) -> None:
    write_bins(folder, weights())
    (folder / "config.json").write_text(json.dumps({**CONFIG, "hidden_size": 32}))
    assert f"'{HEAD}' has shape [1, 16], by config.json it should have [1, 32]" in refused(folder)


@pytest.mark.parametrize(("size", "why"), [(33, "not a multiple"), ("16", "expected int, got str")])
def test_a_hidden_size_that_no_model_has_is_refused(folder: Path, size: Any, why: str) -> None:
    write_bins(folder, weights())
    (folder / "config.json").write_text(json.dumps({**CONFIG, "hidden_size": size}))
    said = refused(folder)
    assert said.startswith(f"reward.name: '{folder}' cannot be loaded (")
    assert why in said


@pytest.mark.parametrize("write", LAYOUTS)
@pytest.mark.parametrize("kept", [0, 4, 700, -1])
def test_a_truncated_file_is_named(folder: Path, write: Callable[..., Any], kept: int) -> None:
    damaged = write(folder, weights())[-1]
    damaged.write_bytes(damaged.read_bytes()[:kept])
    assert refused(folder).startswith(f"{damaged}: the weights cannot be loaded (")


def test_missing_files_are_told(folder: Path) -> None:
    assert "no file named model.safetensors" in refused(folder)
    shard = write_bins(folder, weights())[1]
    shard.unlink()
    assert shard.name in refused(folder)
    write_bins(folder, weights())
    (folder / "pytorch_model.bin.index.json").write_text('{"weight_map"')
    assert "the weights cannot be loaded" in refused(folder)
    (folder / "pytorch_model.bin.index.json").write_text("[]")
    assert "the weights cannot be loaded (TypeError" in refused(folder)
    write_safetensors(folder, weights())
    (folder / "tokenizer.json").unlink()
    assert f"{folder}: the tokenizer cannot be loaded" in refused(folder)
    (folder / "config.json").unlink()
    assert refused(folder).startswith(f"reward.name: '{folder}' cannot be loaded (")
    gone = refused(folder / "gone")
    assert gone.startswith(f"reward.name: '{folder / 'gone'}' cannot be loaded (no such folder)")


def test_a_file_without_tensors_by_name_is_told(folder: Path) -> None:
    torch.save([1, 2], folder / "pytorch_model.bin")
    assert refused(folder).startswith(f"{folder}: the weights cannot be loaded (TypeError")


class Harm:
    """A pickle that would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_with_code_in_it_is_refused_and_not_run(folder: Path) -> None:
    shard = write_bins(folder, weights())[0]
    torch.save({HEAD: Harm(folder / "harm")}, shard)
    said = refused(folder)
    assert said.startswith(f"{shard}: the weights cannot be loaded (UnpicklingError")
    assert "weights_only" not in said
    assert not (folder / "harm").exists()


def save_classifier(folder: Path, config: Any) -> None:
    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)


SIZES = {"vocab_size": 300, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}


@pytest.mark.parametrize("kind", [LlamaConfig, BertConfig])
def test_sequence_classifiers_need_one_label(folder: Path, kind: Any) -> None:
    save_classifier(folder, kind(**SIZES, num_attention_heads=2, num_labels=1))
    model, _ = load_reward_model(str(folder))
    assert type(model).__name__.endswith("ForSequenceClassification")
    save_classifier(folder, kind(**SIZES, num_attention_heads=2, num_labels=2))
    assert "ForSequenceClassification with 2 labels; a reward model has one" in refused(folder)


def test_a_classifier_without_its_head_is_refused(folder: Path) -> None:
    config = LlamaConfig(**SIZES, num_attention_heads=2, num_labels=1)
    config.architectures = ["LlamaForSequenceClassification"]
    config.save_pretrained(folder)
    state = LlamaModel(config).state_dict()
    save_file({f"model.{n}": t for n, t in state.items()}, folder / "model.safetensors")
    assert "tensor 'score.weight' is missing" in refused(folder)


def test_other_models_are_refused(folder: Path, model_folder: Path) -> None:
    said = refused(model_folder)
    assert f"tensor '{HEAD}' is missing: that is a language model without its reward head" in said
    config = GPT2Config(vocab_size=300, n_embd=16, n_layer=1, n_head=2)
    config.architectures = ["GPT2LMHeadModel"]
    config.save_pretrained(folder)
    said = refused(folder)
    assert "GPT2LMHeadModel of type gpt2 is no reward model; expected a LlamaRewardModel" in said
