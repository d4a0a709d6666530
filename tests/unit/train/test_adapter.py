"""Adapters: what is trained, saved, resumed and loaded again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from configs import PRESETS
from peft import AutoPeftModelForCausalLM
from peft.tuners.lora import Linear
from safetensors.torch import load_file
from training import plain_losses, train
from transformers import AutoModelForCausalLM, AutoTokenizer

from nearfirst.common.errors import InputError
from nearfirst.config import load as load_config
from nearfirst.evaluate.losses import losses
from nearfirst.model import checkpoints, load
from nearfirst.model.adapter import add_adapter, saved_parameters
from nearfirst.model.adapter_settings import AdapterSettings
from nearfirst.model.template import Tokens, encode
from nearfirst.train.settings import TrainSettings

ADAPTER = {"rank": 2, "alpha": 4}


def settings(**adapter: Any) -> TrainSettings:
    return TrainSettings(
        learning_rate=1e-2, batch_size=4, checkpoint_every=1, adapter={**ADAPTER, **adapter}
    )


@pytest.fixture
def tokens(some_talks: Any, tokenizer: Any) -> list[Tokens]:
    return encode(some_talks(12), tokenizer, 64)


@pytest.fixture
def trained(model_folder: Path, tokens: list[Tokens], tmp_path: Path) -> tuple[Path, Path]:
    """The checkpoints and the state of three steps."""
    return train(model_folder, tokens, settings(), tmp_path / "trained")


def adapter_of(folder: Path, step: int) -> dict[str, torch.Tensor]:
    return load_file(folder / f"step-{step:06d}/adapter_model.safetensors")


def change_config(checkpoint: Path, **values: Any) -> None:
    path = checkpoint / "adapter_config.json"
    config = json.loads(path.read_text()) | values
    path.unlink()  # the steps share one file
    path.write_text(json.dumps(config))


def test_the_adapter_alone_is_trained_and_saved(
    trained: tuple[Path, Path], model_folder: Path
) -> None:
    folder, state = trained
    base = AutoModelForCausalLM.from_pretrained(model_folder)
    linear = [n for n, m in base.named_modules() if isinstance(m, torch.nn.Linear)]
    expected = {
        f"base_model.model.{name}.lora_{side}.weight"
        for name in linear
        if name != "lm_head"
        for side in "AB"
    }
    first, last = adapter_of(folder, 0), adapter_of(folder, 3)
    assert first.keys() == last.keys() == expected
    assert not any(first[name].any() for name in first if "lora_B" in name)
    assert all(last[name].any() for name in last)
    assert not list(folder.rglob("model.safetensors"))
    # peft keeps the layers as a set, whose order differs from process to process.
    config = json.loads((folder / "step-000000/adapter_config.json").read_text())
    assert config["target_modules"] == sorted(name for name in linear if name != "lm_head")
    # A state does not hold the base model either.
    size = (state / "model.safetensors").stat().st_size
    assert size < (model_folder / "model.safetensors").stat().st_size


def test_other_programs_load_a_checkpoint_with_its_base(
    trained: tuple[Path, Path], model_folder: Path, tokens: list[Tokens]
) -> None:
    folder, _ = trained
    step = folder / "step-000003"
    others = [
        kind.from_pretrained(step) for kind in (AutoPeftModelForCausalLM, AutoModelForCausalLM)
    ]
    assert AutoTokenizer.from_pretrained(step).eos_token
    ours = load.model_for(step, str(model_folder))
    steps = sorted(folder.glob("step-*"))
    first, *_, last = [
        losses(ours, tokens, 256)
        for _ in checkpoints.stream_weights(ours, [[path] for path in steps])
    ]
    base = AutoModelForCausalLM.from_pretrained(model_folder)
    assert first == pytest.approx(plain_losses(base, tokens), abs=1e-5)
    for model in others:
        assert last == pytest.approx(plain_losses(model, tokens), abs=1e-5)
    assert (last < first).all()


def test_layers_compute_the_same_as_those_of_peft(model_folder: Path) -> None:
    ids = torch.arange(12).reshape(2, 6)
    results = []
    for ours in (True, False):
        model = AutoModelForCausalLM.from_pretrained(model_folder)
        add_adapter(model, AdapterSettings(**ADAPTER))
        trained = saved_parameters(model)
        with torch.no_grad():
            for number, weight in enumerate(trained.values()):
                torch.manual_seed(number)
                weight.normal_(std=0.5)
        if not ours:
            for layer in model.modules():
                if isinstance(layer, Linear):
                    layer.lora_variant.clear()
        logits = model(input_ids=ids).logits
        logits.logsumexp(-1).sum().backward()
        results.append([logits, *(weight.grad for weight in trained.values())])
    base = AutoModelForCausalLM.from_pretrained(model_folder)(input_ids=ids).logits
    assert not torch.allclose(results[0][0], base, atol=1e-2)
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-5)


def test_targets(model_folder: Path, tokens: list[Tokens], tmp_path: Path) -> None:
    run = settings(targets=["q_proj", "v_proj"])
    first = adapter_of(train(model_folder, tokens, run, tmp_path, stop=1)[0], 0)
    assert {name.split(".")[-3] for name in first} == {"q_proj", "v_proj"}


def test_a_model_without_the_named_layers_is_refused_before_training(
    model_folder: Path, tokens: list[Tokens], tmp_path: Path
) -> None:
    message = r"train\.adapter\.targets: .*Llama.* called 'query_key_value'; it has q_proj, k_proj"
    with pytest.raises(InputError, match=message):
        train(model_folder, tokens, settings(targets=["q_proj", "query_key_value"]), tmp_path)


def test_an_adapter_of_another_base(
    trained: tuple[Path, Path], model_folder: Path, tmp_path: Path
) -> None:
    folder, _ = trained
    step = folder / "step-000001"
    change_config(step, target_modules=["c_attn"])
    with pytest.raises(InputError, match="its adapter does not fit the base model"):
        load.model_for(step, str(model_folder))
    with pytest.raises(InputError, match=r"model\.name: '.*nowhere' cannot be loaded"):
        load.model_for(folder / "step-000000", str(tmp_path / "nowhere"))


def test_the_mean_of_adapters_is_refused(trained: tuple[Path, Path]) -> None:
    folder, _ = trained
    with pytest.raises(InputError, match=r"evaluate\.average: .*step-000000 holds an adapter"):
        checkpoints.windows(sorted(folder.glob("step-*")), [], 2)
    with pytest.raises(InputError, match=r"evaluate\.average.*the mean of adapters is no adapter"):
        load_config(
            {"preset": "tiny", "train": {"adapter": {}}, "evaluate": {"average": 2}}, PRESETS
        )
