"""Bytes of the plan: by hand for LLaMA-2-7B, and against what the training program writes."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from configs import PRESETS

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import write_table
from nearfirst.config import load
from nearfirst.model.settings import ModelSettings
from nearfirst.plan.disk import count_checkpoints, count_states, disk, find_runs, sizes
from nearfirst.plan.dry_run import DryRun
from nearfirst.plan.parameters import count_parameters
from nearfirst.train.settings import TrainSettings

NONE = Path("none")
# LLaMA-2-7B; the other sizes are LlamaConfig's defaults.
LLAMA = {"model_type": "llama", "vocab_size": 32000, "hidden_size": 4096, "num_hidden_layers": 32}


def test_parameters_of_each_kind_of_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    # Two embeddings; 32 layers of four and three matrices and two norms; a last norm.
    layer = 4 * 4096**2 + 3 * 4096 * 11008 + 2 * 4096
    expected = 2 * 32000 * 4096 + 32 * layer + 4096
    assert count_parameters(ModelSettings(name=str(tmp_path)), NONE) == expected == 6_738_415_616
    hub = ModelSettings(name="someone/model")
    assert count_parameters(hub, NONE) is None
    assert count_parameters(hub, tmp_path) == expected
    assert count_parameters(ModelSettings(name="someone/model", parameters=5), tmp_path) == 5
    (tmp_path / "config.json").write_text('{"model_type": "none"}')
    with pytest.raises(InputError, match=str(tmp_path)):
        count_parameters(ModelSettings(name=str(tmp_path)), NONE)
    # The small model's one embedding is tied.
    small = 2048 * 128 + 4 * (4 * 128**2 + 3 * 128 * 352 + 2 * 128) + 128
    assert count_parameters(ModelSettings(), NONE) == small == 1_066_112


def test_the_model_of_a_package_has_the_parameters_that_the_config_gives() -> None:
    model = load({"preset": "small"}, PRESETS).model
    assert count_parameters(model, NONE) == 134_515_008


def test_checkpoints_and_states_of_segments() -> None:
    bounds = [0, 300, 600, 900, 1200, 1500, 1797]
    counts = [count_checkpoints(start, stop, 10) for start, stop in pairwise(bounds)]
    # Step 0 is in the first; the last has 1510 to 1790, and 1797.
    assert counts == [31, 30, 30, 30, 30, 30]
    assert sum(counts) == count_checkpoints(0, 1797, 10) == 181
    assert count_checkpoints(0, 5, 10) == 2
    # States are saved at 100, 200 and 300; the third is written before the first goes.
    assert count_states(0, 300, 100) == 3
    # Beside the one that the segment before left.
    assert count_states(300, 600, 100) == 4


def test_sizes_of_two_runs() -> None:
    train = TrainSettings(checkpoint_every=10, checkpoint_dtype="float16")
    runs = {"long": [(0, 30), (30, 60), (60, 90)], "short": [(0, 20)]}
    # One parameter: 2 bytes a checkpoint, 12 a state. Checkpoints: 4 + 3 + 3, and 3.
    # States, saved every 30 steps: one, beside that of the segment before; one.
    all_kept = list(sizes(runs, 1, train, 30, None).values())
    assert all_kept == [12, 2, 20, 24, 26, 26 + 24, 26 + 24 + 12]
    # Two segments of the long run at a time: 4 + 3.
    two_kept = list(sizes(runs, 1, train, 30, 2).values())
    assert two_kept == [12, 2, 14, 24, 0, 24 + 14, 24 + 14 + 12 + 6]


def test_the_length_of_a_run_to_the_end_of_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    segment = "results/one/checkpoints/flan/random/seed-0/0-end"
    arrangement = "results/one/arrangements/flan/random/seed-0.parquet"
    planned = DryRun({"train": 1}, frozenset({segment}))
    assert find_runs(planned, TrainSettings(), None) == {}
    assert "give --steps" in disk(planned, load({"preset": "tiny"}, PRESETS), None)
    assert find_runs(planned, TrainSettings(), 7) == {"flan/random/seed-0": [(0, 7)]}
    write_table(pa.table({"id": ["a"] * 33}), Path(arrangement))
    # 33 instances, 16 a step.
    assert find_runs(planned, TrainSettings(), None) == {"flan/random/seed-0": [(0, 3)]}
    assert find_runs(planned, TrainSettings(epochs=2), None) == {"flan/random/seed-0": [(0, 6)]}
    assert find_runs(DryRun({}, frozenset({segment, arrangement})), TrainSettings(), None) == {}


def test_training_writes_what_is_counted(
    tmp_path: Path, program: Any, train_arguments: Any, model_folder: Path
) -> None:
    settings = TrainSettings(
        checkpoint_every=2, checkpoint_dtype="float16", batch_size=4, learning_rate=1e-3
    )
    done = program(*train_arguments(tmp_path, 18, settings=settings.canonical()))
    assert done.returncode == 0, done.stderr
    parameters = count_parameters(ModelSettings(name=str(model_folder)), NONE)
    assert parameters
    weights = [*(tmp_path / "checkpoints").glob("*/model.safetensors")]
    assert len(weights) == count_checkpoints(0, 5, 2) == 4
    assert all(0 <= path.stat().st_size - 2 * parameters <= 20_000 for path in weights)
    state = sum(path.stat().st_size for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert 12 * parameters <= state <= 12 * parameters + 60_000
