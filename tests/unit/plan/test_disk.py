"""Bytes of the plan: by hand, and against what the training program writes."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from configs import PRESETS

from nearfirst.common.parquet import write_table
from nearfirst.config import load
from nearfirst.model.settings import ModelSettings
from nearfirst.plan.disk import count_checkpoints, disk, find_runs, sizes
from nearfirst.shape import shape_of
from nearfirst.train.settings import TrainSettings


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
    # Saved more often: the third is written before the first goes, beside that of another segment.
    assert sizes(runs, 1, train, 5, None)["states of a run, at a time"] == 4 * 12


def test_the_length_of_a_run_to_the_end_of_its_data(tmp_path: Path) -> None:
    run = "flan/random/seed-0"
    segments = [(run, 0, "end")]
    assert find_runs(segments, TrainSettings(), tmp_path, None) == {}
    assert "give --steps" in disk({"train": 1}, segments, load({"preset": "tiny"}, PRESETS), None)
    assert find_runs(segments, TrainSettings(), tmp_path, 7) == {run: [(0, 7)]}
    write_table(pa.table({"id": ["a"] * 33}), tmp_path / f"{run}.parquet")
    # 33 instances, 16 a step.
    assert find_runs(segments, TrainSettings(), tmp_path, None) == {run: [(0, 3)]}
    assert find_runs(segments, TrainSettings(epochs=2), tmp_path, None) == {run: [(0, 6)]}


def test_training_writes_what_is_counted(
    tmp_path: Path, program: Any, train_arguments: Any, model_folder: Path
) -> None:
    settings = TrainSettings(
        checkpoint_every=2, checkpoint_dtype="float16", batch_size=4, learning_rate=1e-3
    )
    done = program(*train_arguments(tmp_path, 18, settings=settings.canonical()))
    assert done.returncode == 0, done.stderr
    shape = shape_of(ModelSettings(name=str(model_folder)), None)
    assert shape
    parameters = shape.parameters
    weights = [*(tmp_path / "checkpoints").glob("*/model.safetensors")]
    assert len(weights) == count_checkpoints(0, 5, 2) == 4
    assert all(0 <= path.stat().st_size - 2 * parameters <= 20_000 for path in weights)
    state = sum(path.stat().st_size for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert 12 * parameters <= state <= 12 * parameters + 60_000
