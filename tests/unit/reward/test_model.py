"""Loading reward models: the published layout, written by hand, and faulty folders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    LlamaConfig,
    LlamaModel,
)

from nearfirst.common.errors import InputError
from nearfirst.model import precision
from nearfirst.reward.model import LlamaRewardModel, load_reward_model

HEAD = "regression_head.weight"
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


def write_bins(folder: Path, state: State) -> None:
    """Write three shards and their index, like the files of openbmb/UltraRM-13b."""
    files = {
        tensor: f"pytorch_model-{1 + i % 3:05d}-of-00003.bin"
        for i, tensor in enumerate(sorted(state))
    }
    for file in set(files.values()):
        torch.save(
            {tensor: state[tensor] for tensor in state if files[tensor] == file}, folder / file
        )
    index = {"metadata": {"total_size": 1}, "weight_map": files}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))


@pytest.fixture
def folder(tmp_path: Path, tokenizer: Any) -> Path:
    """A reward model's folder without weights."""
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def test_the_published_layout_is_read(folder: Path) -> None:
    state = weights()
    write_bins(folder, state)
    model, _ = load_reward_model(str(folder))
    assert isinstance(model, LlamaRewardModel)
    assert not model.training
    read = dict(model.named_parameters())
    assert read.keys() == state.keys()
    for name, tensor in state.items():
        assert torch.equal(read[name], tensor.float())


def test_bfloat16_leaves_the_head_exact(folder: Path) -> None:
    state = weights()
    write_bins(folder, state)
    model, _ = load_reward_model(str(folder))
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.no_grad():
        in_float32 = model(ids, torch.ones_like(ids)).logits
    with torch.no_grad(), precision.autocast("bfloat16"):
        hidden = model.model(ids).last_hidden_state
        logits = model(ids, torch.ones_like(ids)).logits
    assert logits.dtype == torch.float32
    # A float32 product of hidden states that were computed in bfloat16.
    exact = hidden[0, -1].float() @ state[HEAD][0].float()
    assert float(logits) == pytest.approx(float(exact), rel=1e-6)
    assert 0 < abs(float(logits - in_float32)) < 0.1


def test_old_buffers_and_code_beside_the_weights_are_ignored(folder: Path) -> None:
    state = weights()
    buffers = {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.ones(4) for i in (0, 1)}
    write_bins(folder, {**state, **buffers})
    auto = {"auto_map": {"AutoModel": "modeling_llama_rm.LlamaRewardModel"}}
    (folder / "config.json").write_text(json.dumps({**CONFIG, **auto}))
    (folder / "modeling_llama_rm.py").write_text("raise SystemExit('this code was run')")
    model, _ = load_reward_model(str(folder))
    assert torch.equal(model.regression_head.weight, state[HEAD].float())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({HEAD: None}, f"missing keys {HEAD}, 1 in all"),
        ({HEAD: torch.ones(2, 16)}, f"mismatched keys {HEAD} (of shape [2, 16], by its config ["),
        ({"b": torch.ones(1), "a": torch.ones(1)}, "tensor a is not part of such a model"),
    ],
)
def test_other_tensors_are_refused_by_name(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    state = {**weights(), **changes}
    write_bins(folder, {name: tensor for name, tensor in state.items() if tensor is not None})
    with pytest.raises(InputError) as caught:
        load_reward_model(str(folder))
    assert message in str(caught.value)


def truncate(folder: Path) -> None:
    path = max(folder.glob("*.bin"))
    path.write_bytes(path.read_bytes()[:700])


def describe(**changes: Any) -> Callable[[Path], object]:
    return lambda folder: (folder / "config.json").write_text(json.dumps(CONFIG | changes))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (truncate, ""),
        (lambda folder: max(folder.glob("*.bin")).unlink(), "pytorch_model-00003-of-00003.bin"),
        (lambda folder: (folder / "tokenizer.json").unlink(), ""),
        (lambda folder: (folder / "config.json").unlink(), ""),
        (describe(hidden_size="16"), "expected int"),
        (describe(architectures=["LlamaForCausalLM"]), "of type llama has no reward head"),
        (describe(model_type="gpt2", architectures=None), "a model of type gpt2 has no reward"),
    ],
)
def test_unusable_folders_are_refused(folder: Path, harm: Callable[..., Any], why: str) -> None:
    write_bins(folder, weights())
    harm(folder)
    with pytest.raises(InputError) as caught:
        load_reward_model(str(folder))
    message = str(caught.value)
    assert message.startswith(f"reward.name: '{folder}' cannot be loaded (")
    assert why in message
    assert "\n" not in message


@pytest.mark.parametrize("kind", [LlamaConfig, BertConfig])
def test_sequence_classifiers_need_one_label(folder: Path, kind: Any) -> None:
    for labels in (1, 2):
        config = kind(**SIZES, num_hidden_layers=1, num_labels=labels)
        AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
        if labels == 1:
            model, _ = load_reward_model(str(folder))
            assert type(model).__name__.endswith("ForSequenceClassification")
    with pytest.raises(InputError, match="ForSequenceClassification with 2 labels"):
        load_reward_model(str(folder))


def test_config_and_tokenizer_are_checked_without_weights(folder: Path, program: Any) -> None:
    program("check_reward.py", "--reward-model", folder, check=True)
    (folder / "tokenizer.json").unlink()
    done = program("check_reward.py", "--reward-model", folder)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: reward.name: '{folder}' cannot be loaded (")
