"""What accelerate does otherwise when it shards a model."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate.utils import fsdp_utils
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Block

from nearfirst.train import fsdp


def gradient(model: Any) -> torch.Tensor:
    torch.manual_seed(1)
    ids = torch.arange(40)[None]
    model.train()(input_ids=ids, labels=ids).loss.backward()
    return torch.cat([weight.grad.flatten() for weight in model.parameters()])


def test_recomputed_layers_draw_the_same_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    config = GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=64)
    expected, found = (GPT2LMHeadModel(config) for _ in range(2))
    found.load_state_dict(expected.state_dict())
    fsdp.correct_accelerate()
    monkeypatch.setattr(
        fsdp_utils,
        "fsdp2_prepare_auto_wrap_policy",
        lambda *_: lambda module: isinstance(module, GPT2Block),
    )
    plugin = SimpleNamespace(activation_checkpointing_offload=False)
    accelerator = SimpleNamespace(state=SimpleNamespace(fsdp_plugin=plugin))
    fsdp_utils.fsdp2_apply_ac(accelerator, found)
    assert any("_checkpoint_wrapped" in name for name, _ in found.named_modules())
    torch.testing.assert_close(gradient(found), gradient(expected), rtol=0, atol=1e-7)
