"""In bfloat16, weights are converted once for each checkpoint, not in each pass."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import LlamaConfig

from nearfirst.evaluate.losses import losses
from nearfirst.generate.answers import generate
from nearfirst.generate.settings import GenerateSettings
from nearfirst.model import load, precision
from nearfirst.model.adapter import add_adapter
from nearfirst.model.adapter_settings import AdapterSettings
from nearfirst.model.template import encode
from nearfirst.reward.model import LlamaRewardModel
from nearfirst.reward.score import rewards


class Conversions(TorchDispatchMode):
    """Counts conversions of each weight of a model."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.weights = {id(weight): name for name, weight in model.named_parameters()}
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function.overloadpacket in (torch.ops.aten._to_copy, torch.ops.aten.to):
            self.counts.update([self.weights[id(args[0])]] if id(args[0]) in self.weights else [])
        return function(*args, **(kwargs or {}))


def conversions(model: Any, work: Callable[[], Any]) -> set[int]:
    """Return how often the weights that are converted at all are, in passes by `work`."""
    passes: list[Any] = []
    model.register_forward_pre_hook(lambda *_: passes.append(None))
    with precision.autocast("bfloat16"), Conversions(model) as counted:
        work()
    assert len(passes) > 3
    return set(counted.counts.values())


def test_losses(model_folder: Path, tmp_path: Path, some_talks: Any, tokenizer: Any) -> None:
    tokens = encode(some_talks(8), tokenizer, 64)
    model = load.load_model(str(model_folder)).eval()
    assert conversions(model, lambda: losses(model, tokens, 64)) == {1}
    # Most weights of a model with an adapter are frozen.
    base = load.load_model(str(model_folder))
    add_adapter(base, AdapterSettings(targets=["q_proj"]))
    base.save_pretrained(tmp_path / "step-000000")
    adapted = load.model_for(tmp_path / "step-000000", str(model_folder))
    assert conversions(adapted, lambda: losses(adapted, tokens, 64)) == {1}


def test_answers(model_folder: Path, some_talks: Any, tokenizer: Any) -> None:
    model = load.load_model(str(model_folder)).eval()
    questions = [item.prompt for item in encode(some_talks(3), tokenizer, 64)]
    settings = GenerateSettings(max_new_tokens=6)
    options: dict[str, Any] = {"step": 0, "run_seed": 0, "batch_size": 3, "end_tokens": [299]}
    ids = ["a", "b", "c"]
    assert conversions(model, lambda: generate(model, questions, ids, settings, **options)) == {1}


def test_rewards(model_folder: Path) -> None:
    model = LlamaRewardModel(LlamaConfig.from_pretrained(model_folder)).eval()
    texts = [np.arange(1, n, dtype=np.int64) for n in (20, 18, 15, 12, 9)]
    assert conversions(model, lambda: rewards(model, texts, 20)) == {1}


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_nothing_is_kept_for_gradients(name: str) -> None:
    weight = torch.ones(2, 2, requires_grad=True)

    @precision.without_gradients
    def work() -> torch.Tensor:
        return weight @ weight

    with precision.autocast(name):
        assert not work().requires_grad
        assert work().is_inference() == (name == "float32")
