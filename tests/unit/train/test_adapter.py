"""Adapters: what is trained, saved, resumed and loaded again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from files import contents
from peft import AutoPeftModelForCausalLM
from peft.tuners.lora import Linear
from safetensors.torch import load_file
from training import plain_losses, train
from transformers import AutoModelForCausalLM, AutoTokenizer

from nearfirst.common.errors import InputError
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


def adapter_of(folder: Path, step: int) -> dict[str, torch.Tensor]:
    return load_file(folder / f"step-{step:06d}/adapter_model.safetensors")


def test_the_adapter_alone_is_trained_and_saved(
    model_folder: Path, tokens: list[Tokens], tmp_path: Path
) -> None:
    folder, _ = train(model_folder, tokens, settings(), tmp_path)
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


def test_other_programs_load_a_checkpoint_with_its_base(
    model_folder: Path, tokens: list[Tokens], tmp_path: Path
) -> None:
    folder, _ = train(model_folder, tokens, settings(), tmp_path)
    step = folder / "step-000003"
    theirs = AutoPeftModelForCausalLM.from_pretrained(step)
    by_transformers = AutoModelForCausalLM.from_pretrained(step)
    assert AutoTokenizer.from_pretrained(step).eos_token
    ours = load.model_for(step, str(model_folder))
    found = {}
    every = sorted(folder.glob("step-*"))
    for *_, checkpoint in checkpoints.stream_weights(ours, [[path] for path in every]):
        found[checkpoint.name] = losses(ours, tokens, 256)
    base = AutoModelForCausalLM.from_pretrained(model_folder)
    assert found["step-000000"] == pytest.approx(plain_losses(base, tokens), abs=1e-5)
    for model in (theirs, by_transformers):
        assert found["step-000003"] == pytest.approx(plain_losses(model, tokens), abs=1e-5)
    assert (found["step-000003"] < found["step-000000"]).all()


def test_its_layers_give_what_those_of_peft_give(model_folder: Path) -> None:
    ids = torch.arange(12).reshape(2, 6)
    found = []
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
        found.append([logits, *(weight.grad for weight in trained.values())])
    base = AutoModelForCausalLM.from_pretrained(model_folder)(input_ids=ids).logits
    assert not torch.allclose(found[0][0], base, atol=1e-2)
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stop", [1, 2])
def test_segments_give_the_bytes_of_one_piece(
    model_folder: Path, tokens: list[Tokens], tmp_path: Path, stop: int
) -> None:
    whole, _ = train(model_folder, tokens, settings(), tmp_path / "whole")
    first, state = train(model_folder, tokens, settings(), tmp_path / "first", stop=stop)
    rest, _ = train(model_folder, tokens, settings(), tmp_path / "rest", start=stop, before=state)
    assert contents(first) | contents(rest) == contents(whole)
    # A state holds the adapter, not the base model.
    size = (state / "model.safetensors").stat().st_size
    assert size < (model_folder / "model.safetensors").stat().st_size


def test_targets_and_seed(model_folder: Path, tokens: list[Tokens], tmp_path: Path) -> None:
    of_two = settings(targets=["q_proj", "v_proj"])
    folder, _ = train(model_folder, tokens, of_two, tmp_path / "two", stop=1)
    assert {name.split(".")[-3] for name in adapter_of(folder, 0)} == {"q_proj", "v_proj"}
    other, _ = train(
        model_folder,
        tokens,
        settings(targets=["q_proj", "v_proj"], seed=1),
        tmp_path / "seed",
        stop=1,
    )
    one, two = adapter_of(folder, 0), adapter_of(other, 0)
    assert all(("lora_B" in name) == torch.equal(one[name], two[name]) for name in one)


def test_a_model_without_the_named_layers_is_refused_before_training(
    model_folder: Path, tokens: list[Tokens], tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        train(model_folder, tokens, settings(targets=["q_proj", "query_key_value"]), tmp_path)
    assert "train.adapter.targets: this LlamaForCausalLM has no linear layers called" in str(
        caught.value
    )
    assert "'query_key_value'; it has q_proj, k_proj" in str(caught.value)


def test_an_adapter_of_another_base_or_a_damaged_one(
    model_folder: Path, tokens: list[Tokens], tmp_path: Path
) -> None:
    folder, _ = train(model_folder, tokens, settings(), tmp_path, stop=1)
    step = folder / "step-000001"
    form = json.loads((step / "adapter_config.json").read_text())
    form["target_modules"] = ["c_attn"]
    (step / "adapter_config.json").unlink()
    (step / "adapter_config.json").write_text(json.dumps(form))
    with pytest.raises(InputError, match="its adapter does not fit the base model"):
        load.model_for(step, str(model_folder))
    with pytest.raises(InputError, match=r"model\.name: '.*nowhere' cannot be loaded"):
        load.model_for(folder / "step-000000", str(tmp_path / "nowhere"))
    weights = step / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    model = load.model_for(folder / "step-000000", str(model_folder))
    with pytest.raises(InputError, match=r"adapter_model\.safetensors: not a whole checkpoint"):
        checkpoints.load_weights(model, step)


def test_the_mean_of_adapters_is_that_of_their_models(
    model_folder: Path, tokens: list[Tokens], tmp_path: Path
) -> None:
    folder, _ = train(model_folder, tokens, settings(), tmp_path)
    every = sorted(folder.glob("step-*"))
    model = load.model_for(every[0], str(model_folder), average=3)
    of = checkpoints.windows(every, [], 3)
    for window in checkpoints.stream_weights(model, of, 3):
        merged = AutoModelForCausalLM.from_pretrained(model_folder)
        own = dict(merged.named_parameters())
        for its in [load_file(step / "adapter_model.safetensors") for step in window]:
            for name in its:
                if "lora_A" in name:
                    weight = own[name.removeprefix("base_model.model.").replace("lora_A.", "")]
                    update = its[name.replace("lora_A", "lora_B")] @ its[name]
                    weight.data += ADAPTER["alpha"] / ADAPTER["rank"] / len(window) * update
        expected = plain_losses(merged, tokens)
        assert losses(model, tokens, 256) == pytest.approx(expected, abs=1e-5)
    alone = load.model_for(every[3], str(model_folder))
    checkpoints.load_weights(alone, every[3])
    assert losses(alone, tokens, 256) != pytest.approx(expected, abs=1e-4)
    checkpoints.load_weights(model, *window, average=3)
    assert losses(model, tokens, 256) == pytest.approx(expected, abs=1e-5)

    path = every[0] / "adapter_config.json"
    form = json.loads(path.read_text())
    path.unlink()  # the steps share one file
    path.write_text(json.dumps(form | {"use_dora": True}))
    with pytest.raises(InputError, match="the mean of adapters with use_dora is no adapter"):
        load.model_for(every[0], str(model_folder), average=3)
