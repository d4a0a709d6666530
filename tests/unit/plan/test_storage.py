"""Bytes of the plan: by hand for LLaMA-2-7B, and against what the training program writes."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from nearfirst.common.errors import InputError
from nearfirst.model.settings import ModelSettings, PretrainSettings
from nearfirst.plan.lengths import checkpoints
from nearfirst.plan.parameters import find_parameters, of_config, of_llama, of_pretraining
from nearfirst.plan.storage import (
    Run,
    Segment,
    bytes_at_end,
    checkpoints_at_once,
    model_bytes,
    peak_bytes,
    states_at_once,
)

# LLaMA-2-7B, as published.
SEVEN = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "intermediate_size": 11008,
    "tie_word_embeddings": False,
}
SMALL = {**SEVEN, "vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 2} | {
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 40,
}


def run_of(*counts: int, states: int = 4, bounded: bool = True) -> Run:
    segments = tuple(
        Segment(300 * at, 300 * at + 300, count, states) for at, count in enumerate(counts)
    )
    return Run("flan", "random", 0, segments, exact=True, bounded=bounded)


# 0-300 has step 0 too; 1500-1797 has 1510 to 1790 and 1797.
PAPER = run_of(31, 30, 30, 30, 30, 30)


def test_the_paper_s_run() -> None:
    model = model_bytes(6_738_415_616, "float16")
    assert model.checkpoint == pytest.approx(13.5e9, rel=0.01)
    assert PAPER.checkpoints * model.checkpoint == pytest.approx(2.44e12, rel=0.01)
    assert model.state == pytest.approx(80.9e9, rel=0.01)
    assert model.training == pytest.approx(107.8e9, rel=0.01)
    assert model_bytes(6_738_415_616, "float32").checkpoint == 2 * model.checkpoint


def test_the_published_shape_has_the_published_parameters() -> None:
    # 2 embeddings of 131,072,000; 32 layers of 4 x 16,777,216 + 3 x 45,088,768 + 8,192; a norm.
    assert of_llama(SEVEN) == 6_738_415_616


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tie_word_embeddings": True},
        {"num_key_value_heads": 2},
        {"head_dim": 10},
        {"attention_bias": True, "mlp_bias": True},
        {"model_type": "gpt_neox"},
    ],
)
def test_parameters_are_those_of_the_built_model(tmp_path: Path, changes: dict[str, Any]) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    shape = {"model_type": "llama", **SMALL, **changes}
    config = AutoConfig.for_model(**shape)
    config.save_pretrained(tmp_path)
    built = AutoModelForCausalLM.from_config(config).num_parameters()
    assert of_config(tmp_path / "config.json") == built
    if shape["model_type"] == "llama":
        assert of_llama(shape) == built


def test_the_small_model_is_counted_before_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 2048 x 128 + 4 x (4 x 128^2 + 3 x 128 x 352 + 2 x 128) + 128.
    assert of_pretraining(PretrainSettings()) == 1_066_112
    monkeypatch.chdir(tmp_path)
    found = find_parameters(ModelSettings(), None, set())
    assert found
    assert (found.number, found.source) == (1_066_112, "model.pretrain")


def test_a_model_that_is_there_counts_before_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unnamed = ModelSettings(name="someone/model")
    assert find_parameters(unnamed, None, set()) is None
    settings = ModelSettings(name="someone/model", parameters=5)
    assert find_parameters(settings, None, set()).number == 5
    assert find_parameters(settings, 7, set()).number == 7
    path = Path("results/raw/model/config.json")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"model_type": "llama", **SMALL}))
    found = find_parameters(settings, None, set())
    assert found
    assert (found.number, found.source) == (of_llama(SMALL), str(path))
    # Another model will be fetched in its place.
    remade = {"results/raw/model/fetched.json"}
    assert find_parameters(settings, None, remade).number == 5


@pytest.mark.parametrize("text", ["{", "[]", '{"model_type": "llama"}', '{"model_type": "none"}'])
def test_a_broken_config_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"config\.json: .*--parameters") as error:
        of_config(path)
    assert "\n" not in str(error.value)


def test_checkpoints_of_segments_are_those_of_the_run() -> None:
    bounds = [0, 300, 600, 900, 1200, 1500, 1797]
    counts = [checkpoints(a, b, 10) for a, b in pairwise(bounds)]
    assert counts == [31, 30, 30, 30, 30, 30]
    assert sum(counts) == checkpoints(0, 1797, 10) == len({*range(0, 1797, 10), 1797}) == 181
    assert checkpoints(0, 192, 10) == 21
    assert checkpoints(0, 5, 10) == 2


def test_states_of_a_training_job() -> None:
    # Saved at 100, 200 and 300; the third is written before the first goes.
    assert states_at_once(0, 300, 100) == 3
    # Beside the one that the segment before left.
    assert states_at_once(300, 600, 100) == 4
    assert states_at_once(1500, 1797, 100) == 4
    assert states_at_once(0, 30, 100) == 1
    assert states_at_once(300, 410, 100) == 3


def test_only_two_segments_are_there_where_checkpoints_go() -> None:
    assert checkpoints_at_once(PAPER, kept=True) == 181
    assert checkpoints_at_once(PAPER, kept=False) == 61
    assert checkpoints_at_once(run_of(31), kept=False) == 31
    assert checkpoints_at_once(run_of(1, 2, 9, 8, 3), kept=False) == 17
    # Answers may be late by any number of segments.
    assert checkpoints_at_once(run_of(31, 30, 30, bounded=False), kept=False) == 91


def test_the_peak_of_several_runs() -> None:
    model = model_bytes(1, "float16")  # 2 bytes a checkpoint, 12 a state
    runs = [run_of(10, 10, 10), run_of(3, states=1), run_of(4, 5, states=2)]
    assert bytes_at_end(runs, model, True) == 2 * (30 + 3 + 9)
    assert bytes_at_end(runs, model, False) == 0
    assert peak_bytes(runs, model, True, at_once=3) == 84 + 12 * (4 + 1 + 2)
    assert peak_bytes(runs, model, True, at_once=1) == 84 + 12 * 4
    assert peak_bytes(runs, model, False, at_once=3) == (40 + 48) + (6 + 12) + (18 + 24)
    assert peak_bytes(runs, model, False, at_once=2) == (40 + 48) + (18 + 24)
    assert peak_bytes([], model, True, at_once=0) == 0


def test_what_training_writes_is_what_is_counted(
    tmp_path: Path, program: Any, train_arguments: Any, model_folder: Path
) -> None:
    settings = {"checkpoint_every": 2, "checkpoint_dtype": "float16", "micro_batch_size": 4}
    given = json.dumps({**settings, "batch_size": 4, "learning_rate": 1e-3})
    done = program(*train_arguments(tmp_path, 18, settings=given))
    assert done.returncode == 0, done.stderr
    model = model_bytes(of_config(model_folder / "config.json"), "float16")
    folders = list((tmp_path / "checkpoints").iterdir())
    assert len(folders) == checkpoints(0, 5, 2) == 4
    for folder in folders:
        written = sum(path.stat().st_size for path in folder.iterdir())
        assert model.checkpoint <= written <= model.checkpoint + 20_000
    state = sum(path.stat().st_size for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert model.state <= state <= model.state + 60_000
