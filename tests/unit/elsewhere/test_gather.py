"""Checkpoints of other programs: read like ours, or refused with the place and the reason."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from configs import PRESETS
from files import cut
from peft import LoraConfig, PeftModel, get_peft_model
from programs import Program
from safetensors.torch import load_file, save_file
from training import plain_losses
from transformers import AutoModelForCausalLM, Gemma3Config, LlamaConfig, Trainer, TrainingArguments

from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import LOSSES, read_table
from nearfirst.config import load
from nearfirst.elsewhere.gather import _read_config, gather
from nearfirst.elsewhere.settings import SOURCES
from nearfirst.evaluate.losses import losses
from nearfirst.model.checkpoints import checkpoints_in, load_weights
from nearfirst.model.load import model_for
from nearfirst.model.template import Tokens, encode


@pytest.fixture(scope="module")
def tokens(some_talks: Any, tokenizer: Any) -> list[Tokens]:
    return encode(some_talks(12), tokenizer, 256)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, tokens: list[Tokens]
) -> Path:
    """Checkpoint-2 and checkpoint-4 of a plain Trainer, without a tokenizer."""
    folder = tmp_path_factory.mktemp("trainer")
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    rows = [{"input_ids": item.ids, "labels": item.labels} for item in tokens]
    arguments = TrainingArguments(
        folder, max_steps=4, save_steps=2, per_device_train_batch_size=1, learning_rate=1e-2
    )
    Trainer(model, arguments, train_dataset=rows).train()  # type: ignore[arg-type]
    return folder


def unchanged(folder: Path, to: Path) -> Path:
    return folder


def in_shards(folder: Path, to: Path) -> Path:
    AutoModelForCausalLM.from_pretrained(folder).save_pretrained(to, max_shard_size="20KB")
    assert not (to / "model.safetensors").exists()
    return to


def pickled(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    (to / "model.safetensors").unlink()
    weights = AutoModelForCausalLM.from_pretrained(folder).state_dict()
    # Old models have buffers beside the weights.
    torch.save(weights | {"model.rotary_emb.inv_freq": torch.ones(8)}, to / "pytorch_model.bin")
    return to


def adapters(base: Path, to: Path, seed: int, **options: Any) -> Path:
    model = AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(target_modules=["q_proj", "v_proj"], lora_alpha=16, **options)
    model = get_peft_model(model, config)
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_B" in name or "magnitude" in name:
            torch.nn.init.normal_(parameter)
    model.save_pretrained(to)
    return to


def with_biases(base: Path, to: Path) -> Path:
    """The same model with biases of zero, which an adapter with biases needs."""
    shutil.copytree(base, to)
    LlamaConfig.from_pretrained(base, attention_bias=True).save_pretrained(to)
    AutoModelForCausalLM.from_pretrained(to).save_pretrained(to)
    return to


@pytest.mark.parametrize("form", [unchanged, in_shards, pickled])
def test_losses_are_those_that_transformers_computes(
    form: Callable[[Path, Path], Path],
    trained: Path,
    model_folder: Path,
    tokens: list[Tokens],
    some_talks: Any,
    write_instances: Any,
    program: Program,
    tmp_path: Path,
) -> None:
    steps = {step: form(trained / f"checkpoint-{step}", tmp_path / f"{step}") for step in (2, 4)}
    step_flags = [word for step, folder in steps.items() for word in ("--step", step, folder)]
    run = tmp_path / "run"
    done = program(
        *("gather_checkpoints.py", "--name", "theirs", "--seed", 3, *step_flags),
        *("--base", model_folder, "--output", run),
    )
    assert done.returncode == 0, done.stderr
    links = [path.is_symlink() for path in sorted(run.glob("step-*/model.safetensors"))]
    assert links == [form is unchanged] * 2
    write_instances(tmp_path / "test.parquet", some_talks(12), dataset="talks", test="heldout")
    done = program(
        *("evaluate.py", "--model", run / "model", "--checkpoints", run),
        *("--instances", tmp_path / "test.parquet", "--output", tmp_path / "losses.parquet"),
    )
    assert done.returncode == 0, done.stderr
    identity = read_identity(tmp_path / "losses.parquet")
    expected = {"dataset": "talks", "test": "heldout", "arrangement": "theirs", "seed": "3"}
    assert identity == expected
    table = read_table(tmp_path / "losses.parquet", LOSSES, unique=None).to_pandas()
    for step, folder in steps.items():
        model = AutoModelForCausalLM.from_pretrained(folder)
        step_losses = table.loc[table["step"] == step, "loss"]
        np.testing.assert_allclose(step_losses, plain_losses(model, tokens), rtol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"use_dora": True}, {"lora_bias": True}, {"use_rslora": True}], ids=str
)
def test_adapters_are_those_of_peft(
    options: dict[str, Any], model_folder: Path, tokens: list[Tokens], tmp_path: Path
) -> None:
    model_folder = with_biases(model_folder, tmp_path / "base")
    steps = {seed: adapters(model_folder, tmp_path / str(seed), seed, **options) for seed in (1, 2)}
    run = tmp_path / "run"
    run.mkdir()
    gather(steps, model_folder, run, "checkpoints.theirs")
    folders = checkpoints_in(run)
    model = model_for(folders[0], str(run / "model"))
    for folder, original in zip(folders, steps.values(), strict=True):
        load_weights(model, folder)
        base = AutoModelForCausalLM.from_pretrained(model_folder)
        merged = PeftModel.from_pretrained(base, original).merge_and_unload()
        np.testing.assert_allclose(losses(model, tokens, 512), losses(merged, tokens, 512), 1e-4)
    cut(steps[2] / "adapter_model.safetensors")
    message = rf"copy the original anew, delete the folder {run} and run snakemake again"
    with pytest.raises(InputError, match=message):
        load_weights(model, folders[1])


def test_an_adapter_with_other_weights_is_refused(model_folder: Path, tmp_path: Path) -> None:
    adapters(model_folder, tmp_path / "1", 1, modules_to_save=["lm_head"])
    (tmp_path / "run").mkdir()
    message = r"theirs.steps.1 \(.*holds base_model.model.lm_head.weight; .* merge_and_unload"
    with pytest.raises(InputError, match=message):
        gather({1: tmp_path / "1"}, model_folder, tmp_path / "run", "checkpoints.theirs")


def change_heads(folder: Path) -> None:
    config = LlamaConfig.from_pretrained(folder)
    config.num_attention_heads = 4  # of the same shapes
    config.save_pretrained(folder)


def remove_a_layer(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = {k: v for k, v in load_file(path).items() if "layers.1.mlp" not in k}
    save_file(weights, path, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "no such folder"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no weights in it"),
        (change_heads, "not the same model as .*: its num_attention_heads is 4, not 2"),
        (lambda folder: cut(folder / "model.safetensors"), "model.safetensors is damaged"),
        (remove_a_layer, "missing keys model.layers.1.mlp.down_proj.weight, 3 in all"),
        (lambda folder: (folder / "config.json").write_text("{"), "its config cannot be used"),
    ],
)
def test_a_step_that_cannot_be_used_is_named(
    spoil: Callable[[Path], object], message: str, trained: Path, model_folder: Path, tmp_path: Path
) -> None:
    steps = {2: trained / "checkpoint-2", 4: tmp_path / "4"}
    shutil.copytree(trained / "checkpoint-4", steps[4])
    spoil(steps[4])
    (tmp_path / "run").mkdir()
    where = rf"({steps[4]}|checkpoints.theirs.steps.4 \({steps[4]}\)).*{message}"
    with pytest.raises(InputError, match=where):
        gather(steps, model_folder, tmp_path / "run", "checkpoints.theirs")


def test_a_base_is_the_same_model_whatever_a_trainer_writes_beside_it(tmp_path: Path) -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "head_dim": 8}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 32}
    config = Gemma3Config(
        text_config=sizes | heads,
        vision_config={**sizes, "num_attention_heads": 2, "image_size": 28},
    )
    config.save_pretrained(tmp_path / "base")
    for part in (config, config.text_config):
        part.pad_token_id, part.eos_token_id, part.use_cache = 5, [1, 6], False
        part.dtype = torch.bfloat16
    config.save_pretrained(tmp_path / "tuned")
    base, tuned = (_read_config(tmp_path / name, None, "theirs") for name in ("base", "tuned"))
    assert tuned == base
    assert base["text_config.head_dim"] == 8


def test_what_is_missing_needs_a_base(trained: Path, model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"theirs.base is not set, and .* has no tokenizer"):
        gather({2: trained / "checkpoint-2"}, None, tmp_path, "checkpoints.theirs")
    (tmp_path / "run").mkdir()
    steps = {2: model_folder, 4: tmp_path / "4"}
    shutil.copytree(model_folder, steps[4])
    (steps[4] / "config.json").unlink()
    with pytest.raises(InputError, match=rf"base is not set, and {steps[4]} has no config.json"):
        gather(steps, None, tmp_path / "run", "checkpoints.theirs")


def test_a_pattern_finds_its_steps(tmp_path: Path) -> None:
    for name in ("run [1]/step_0010", "run [1]/step_2", "run [1]/step_last", "step_3"):
        (tmp_path / name).mkdir(parents=True)
    row: dict[str, Any] = {"source": "folders", "path": f"{tmp_path}/run [1]/step_{{step}}"}
    folders = SOURCES.parse(json.dumps(row)).folders(tmp_path)
    assert folders == {2: tmp_path / "run [1]/step_2", 10: tmp_path / "run [1]/step_0010"}
    assert list(SOURCES.parse(json.dumps(row | {"steps": [10]})).folders(tmp_path)) == [10]
    with pytest.raises(InputError, match="has no step 7; it has 2, 10"):
        SOURCES.parse(json.dumps(row | {"steps": [10, 7]})).folders(tmp_path)
    with pytest.raises(InputError, match="no such folder with a number"):
        SOURCES.parse(json.dumps(row | {"path": "nowhere-{step}"})).folders(tmp_path)


FIGURE = {"dataset": "flan", "curves": {"A": "mine"}}
ARRANGEMENTS = FIGURE | {"kind": "arrangements", "reference": "A"}
PREDICTION = FIGURE | {"kind": "prediction", "test": "specialist-0"}
ADVICE = {"kind": "advice", "orders": {"A": ["mine", "random"]}, "baseline": "random"}


@pytest.mark.parametrize(
    ("row", "figure", "message"),
    [
        ({}, {}, "'checkpoints.mine.path': give either a pattern"),
        ({"path": "run"}, {}, "'checkpoints.mine.path': 'run' must contain {step} once"),
        ({"path": "r-{step}", "base": "gone"}, {}, "'checkpoints.mine.base': 'gone' is neither"),
        (
            {"source": "hub", "name": "a/b", "steps": {10: "main"}},
            {},
            "'checkpoints.mine.steps.10': 'main' is not a commit of 40 hex digits; git ls-remote",
        ),
        ({"sauce": "hub"}, {}, "'checkpoints.mine.sauce'.*did you mean"),
        ({"path": "r-{step}"}, {"curves": {"A": "mien"}}, "there is no arrangement 'mien'.*'mine'"),
        ({"path": "r-{step}"}, PREDICTION, "'figures.f': it needs the data of each step"),
        ({"path": "r-{step}"}, ADVICE, "'figures.f': it needs the data of each step"),
    ],
)
def test_a_wrong_row_is_named(row: dict[str, Any], figure: dict[str, Any], message: str) -> None:
    figures = {"f": figure if "kind" in figure else ARRANGEMENTS | figure}
    with pytest.raises(InputError, match=message):
        load({"preset": "tiny", "checkpoints": {"mine": row}, "figures": figures}, PRESETS)
