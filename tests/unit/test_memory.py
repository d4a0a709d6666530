"""What a job needs, by hand: a model of a million parameters, LLaMA-2-7B and its files."""

import json
from dataclasses import replace
from math import ceil, log2
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from configs import PRESETS

from nearfirst.common.errors import InputError
from nearfirst.config import load
from nearfirst.memory import (
    PROCESS,
    Shape,
    Training,
    adapter_parameters,
    check_fits,
    cpu_memory,
    fewest_gpus,
    forward_memory,
    gpu_memory,
    request_mb,
    request_minutes,
    training_state,
)
from nearfirst.model.settings import ModelSettings, PretrainSettings
from nearfirst.shape import shape_of

SMALL = Shape(parameters=1_000_000, hidden=100, layers=4, vocabulary=1000)
LLAMA = Shape(6_738_415_616, 4096, 32, 32_000)


def test_gpus_share_what_is_held() -> None:
    # 10 tokens x 100 wide x 4 layers x 120 bytes; 10 tokens x 1,000 words x 16 bytes.
    in_passes = 480_000 + 160_000
    # Weights, gradients and two moments, of 4 bytes each.
    assert gpu_memory(SMALL, Training("float32", 10)) == 16_000_000 + in_passes
    # Half of it, two layers of a million bytes while they are computed, and 100 x 1,000 weights of
    # the output layer, with their gradient and its copy.
    assert gpu_memory(SMALL, Training("float32", 10, gpus=2)) == 11_200_000 + in_passes
    assert gpu_memory(SMALL, Training("float32", 10, offload=True)) == 3_200_000 + in_passes
    adapter = Training("float32", 10, offload=True, trainable=1000)
    assert gpu_memory(SMALL, adapter) == 2_400_000 + in_passes


def test_memory_of_the_machine() -> None:
    # A checkpoint, pinned, and a state's weights are copied from the GPU; without one, all is here.
    assert cpu_memory(SMALL, Training("float32", 10)) == PROCESS + 6_000_000 + 4_000_000
    here = cpu_memory(SMALL, Training("float32", 10), on_gpu=False)
    assert here == PROCESS + 16_000_000 + 640_000 + 4_000_000
    # Two processes, which load 4 MB each; then moments are gathered to be saved.
    assert cpu_memory(SMALL, Training("float32", 10, gpus=2)) == 2 * PROCESS + 6_000_000 + 8_000_000
    # Weights and gradients are pinned too, and the moments here.
    offload = Training("float32", 10, gpus=2, offload=True)
    assert cpu_memory(SMALL, offload) == 2 * PROCESS + 18_000_000 + 2 * 8_000_000


def test_a_request_holds_pinned_tensors_of_powers_of_two() -> None:
    # Qwen2.5-7B, whose tensors are just above one: embedding and output layer; in each layer two
    # matrices of 3,584 x 3,584, two of 512, and three of 18,944.
    rows = [152_064] * 2 + [3584, 3584, 512, 512, 18_944, 18_944, 18_944] * 28
    parameters = sum(rows) * 3584
    pinned = sum(2 ** ceil(log2(4 * n * 3584)) for n in rows)
    assert pinned > 1.8 * 4 * parameters
    shape = Shape(parameters, 3584, 28, 152_064)
    job = Training("bfloat16", 8192, gpus=2, offload=True)
    # Weights, gradients and a checkpoint; the moments, and once more when they are saved.
    needed = 2 * PROCESS + 3 * pinned + 2 * 8 * parameters
    assert request_mb(cpu_memory(shape, job)) * 1e6 >= needed


def test_memory_of_a_job_without_gradients() -> None:
    # Weights, another checkpoint; 10 tokens x 8 x 100 x 4; 5 logits of 1,000 x 8.
    single = forward_memory(SMALL, "float32", 10, 5)
    assert single == PROCESS + 4_000_000 + 4_000_000 + 32_000 + 40_000
    # Weights of 2 bytes, and keys and values of 7 tokens: 4 layers x 2 x 100 x 2.
    half = forward_memory(SMALL, "float16", 10, 5, 7)
    assert half == single - 2_000_000 + 11_200
    # A copy of the weights in bfloat16.
    assert forward_memory(SMALL, "bfloat16", 10, 5, 7) == single + 2_000_000 + 11_200


def test_a_request_is_a_quarter_more_in_steps() -> None:
    assert [request_mb(size) for size in (1, 400e6, 401e6)] == [500, 500, 1000]
    assert [request_minutes(seconds) for seconds in (0, 2880, 2881, 5760)] == [60, 60, 61, 120]


def test_llama_needs_two_gpus_or_offload_and_is_refused_on_one() -> None:
    card = 80_000_000_000
    job = Training("float16", 8 * 1024, recompute=True)
    assert fewest_gpus(LLAMA, job, card) == 2
    assert fewest_gpus(LLAMA, Training("float16", 8 * 1024), card) == 8
    assert fewest_gpus(SMALL, job, card) == 1
    check_fits(LLAMA, Training("float16", 8192, gpus=2, recompute=True), card)
    check_fits(LLAMA, Training("float16", 8192, offload=True, recompute=True), card)
    with pytest.raises(InputError, match=r"6,738,415,616 parameters takes .+ GB") as refused:
        check_fits(LLAMA, job, card)
    text = str(refused.value)
    # 16 bytes a parameter are 107.8 GB. Passes: 8,192 x (4,096 x (4 x 32 + 180) + 16 x 32,000) are
    # 14.5 GB, and 13.5 more are the weights in 16 bits.
    for part in ("135.8 GB on each of 1 GPU", "107.8 for weights", "28.0 for", "has 80.0 GB"):
        assert part in text
    assert "hardware.train.gpus: 2, or hardware.train.offload: true" in text
    assert "recompute" not in text


def test_training_asks_the_card_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from nearfirst.hardware import TrainHardware
    from nearfirst.model.template import Tokens
    from nearfirst.train import job
    from nearfirst.train.settings import TrainSettings

    config = LlamaConfig(hidden_size=64, num_hidden_layers=2, vocab_size=500, intermediate_size=99)
    model = LlamaForCausalLM(config)
    ids = np.arange(20)
    tokens = [Tokens(ids, ids), Tokens(ids[:7], ids[:7])]
    settings = TrainSettings(micro_batch_tokens=40, batch_size=4)
    run: Any = SimpleNamespace(settings=settings, hardware=TrainHardware())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    shape = Shape(model.num_parameters(), 64, 2, 500)
    needed = gpu_memory(shape, Training("float32", 2 * 20))

    def card(size: float) -> None:
        props = SimpleNamespace(total_memory=int(size))
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: props)
        job._check_memory(model, tokens, run)

    card(needed)
    with pytest.raises(InputError, match="passes of 40 tokens"):
        card(needed / 1.2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    card(1)


def test_the_shape_is_read_from_the_files(model_folder: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(model_folder)
    vocabulary = model.config.vocab_size
    expected = Shape(model.num_parameters(), 32, 2, vocabulary)
    assert shape_of(ModelSettings(name=str(model_folder)), None) == expected
    hub = ModelSettings(name="someone/model")
    assert shape_of(hub, model_folder) == expected
    assert shape_of(hub, None) is None
    # LLaMA-2-7B by its count alone, and with the rest of its config.
    known = ModelSettings(name="someone/model", parameters=LLAMA.parameters)
    guessed = shape_of(known, tmp_path)
    assert guessed == Shape(LLAMA.parameters, 4158, 32, 32_000)
    sizes = {"hidden_size": 4096, "num_hidden_layers": 32, "vocab_size": 32_000}
    (tmp_path / "config.json").write_text(json.dumps({"text_config": sizes}))
    assert shape_of(known, tmp_path) == LLAMA
    # The program that loads a damaged model reports it.
    (tmp_path / "model.safetensors").write_bytes(b"no")
    assert shape_of(hub, tmp_path) is None


def test_shapes_of_the_small_model_and_of_a_package() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(LlamaConfig(vocab_size=2048, **PretrainSettings().llama()))
    assert shape_of(ModelSettings(), None) == Shape(model.num_parameters(), 128, 4, 2048)
    shape = shape_of(load({"preset": "small"}, PRESETS).model, None)
    assert shape
    assert shape.parameters == 134_515_008


def test_what_the_config_does_not_say_is_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    model = {"name": "someone/model", "parameters": LLAMA.parameters}
    train = {"precision": "float16", "steps": 600, "segment_steps": 300}
    train["micro_batch_tokens"] = 1024
    user = {"preset": "mini", "model": model, "train": train}
    hardware = load(user, PRESETS).hardware
    job = Training("float16", 1024, 2)
    shape = Shape(LLAMA.parameters, 4158, 32, 32_000)
    assert hardware.train.gpus == fewest_gpus(shape, job, 80e9) == 2
    assert hardware.train.memory_mb == request_mb(cpu_memory(shape, job))
    # Twice the steps in a job take more time.
    longer = load(user | {"train": train | {"segment_steps": 600}}, PRESETS).hardware
    assert 60 < hardware.train.minutes < longer.train.minutes <= 2 * hardware.train.minutes
    # A smaller card, a key that is set, and one that is set to `auto`.
    keys = {"gpu_memory_gb": 48, "train": {"memory_mb": 7, "minutes": "auto"}, "evaluate": "auto"}
    smaller = load(user | {"hardware": keys}, PRESETS).hardware
    assert (smaller.train.gpus, smaller.train.memory_mb) == (4, 7)
    assert smaller.train.minutes < hardware.train.minutes
    assert smaller.evaluate == hardware.evaluate
    assert load(user | {"hardware": "auto"}, PRESETS).hardware.generate == hardware.generate
    # Two GPUs hold it; one of 80 GB does so with offload alone, and one of 200 GB without.
    for keys, offload in (
        ({}, False),
        ({"train": {"gpus": 1}}, True),
        ({"train": {"gpus": 1, "offload": "auto"}, "gpu_memory_gb": 200}, False),
        ({"train": {"gpus": 1, "offload": False}}, False),
        ({"gpu_memory_gb": 10}, True),
    ):
        assert load(user | {"hardware": keys}, PRESETS).hardware.train.offload is offload
    # Of a model of unknown size nothing is derived.
    unknown = load(user | {"model": {"name": "someone/model"}}, PRESETS).hardware
    assert (unknown.train.gpus, unknown.train.memory_mb, unknown.train.minutes) == (1, 4000, 60)


def test_a_long_run_of_a_large_model_is_cut_into_days() -> None:
    def segments(**train: Any) -> list[str]:
        model = {"name": "someone/model", "parameters": LLAMA.parameters}
        train = {"steps": 10_000, "precision": "float16", **train}
        user = {"preset": "mini", "model": model, "train": train, "template": {"max_length": 1024}}
        return load(user, PRESETS).segments("flan", "random")

    # A step of 16 x 1,024 tokens at 8 P operations each, and a tenth of a checkpoint of 4 P bytes;
    # before, step 0 and a state of 12 P.
    a_step = 8 * LLAMA.parameters * 16 * 1024 / 20e12 + 0.4 * LLAMA.parameters / 500e6
    day = (24 * 3600 / 1.25 - 16 * LLAMA.parameters / 500e6) / a_step
    first, *others = segments()
    length = int(first.removeprefix("0-"))
    assert length == day // 10 * 10
    assert others[-1] == f"{10_000 // length * length}-10000"
    # Left alone: what fits, what the config sets, and a run of unknown length.
    assert segments(steps=length) == [f"0-{length}"]
    assert segments(segment_steps=None) == ["0-10000"]
    assert segments(segment_steps=5000) == ["0-5000", "5000-10000"]
    assert segments(segment_steps="auto") == segments()
    assert segments(steps="epoch") == ["0-end"]
    # With several epochs it divides one.
    assert segments(steps=1500, epochs=2) == ["0-750", "750-1500", "1500-2250", "2250-3000"]
    assert segments(steps=7, epochs=9999) == ["0-69993"]
    for preset in ("mini", "tiny", "small"):
        assert load({"preset": preset}, PRESETS).train.segment_steps is None


def test_reward_jobs_ask_for_what_their_model_takes() -> None:
    def asked(**reward: Any) -> tuple[int, int]:
        hardware = load({"preset": "mini", "reward": reward}, PRESETS).hardware.reward
        return hardware.memory_mb, hardware.minutes

    # Trained here, from the base: 16 pairs of 512 tokens in a pass, without a logit.
    base = shape_of(ModelSettings(), None)
    assert base
    job = Training("float32", 16 * 512)
    assert asked() == (request_mb(cpu_memory(replace(base, vocabulary=0), job, False)), 60)
    named = {"name": "someone/reward", "scoring": {"precision": "float16", "batch_tokens": 512}}
    assert asked(**named) == (4000, 60)  # of unknown size
    shape = Shape(13_000_000_000, 5176, 40, 32_000)
    memory = request_mb(forward_memory(shape, "float16", 512, 0))
    assert asked(**named, parameters=shape.parameters)[0] == memory
    # 31 checkpoints of 500,000 tokens, 2 P operations each.
    paper = load({"preset": "paper"}, PRESETS).hardware.reward
    assert paper.minutes == request_minutes(31 * 2 * 13e9 * 500_000 / 20e12)
    assert paper.memory_mb > 90_000


def test_the_size_of_an_adapter() -> None:
    # SmolLM2-135M: 30 layers; q and o 576 x 576, k and v 576 x 192, three of 576 x 1536.
    small = Shape(134_515_008, 576, 30, 49_152)
    exact = 30 * 16 * (2 * (576 + 576) + 2 * (576 + 192) + 3 * (576 + 1536))
    assert adapter_parameters(small, 16) == pytest.approx(exact, rel=0.1)
    adapter = Training("float32", 1, trainable=exact)
    assert training_state(small, adapter) == 4 * small.parameters + 12 * exact
