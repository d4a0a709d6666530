"""Metrics in TensorBoard's files; no result depends on them."""

import struct
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from files import contents
from training import train

from nearfirst.common.errors import InputError
from nearfirst.model.template import encode
from nearfirst.model.tracking import Tracking, check_packages
from nearfirst.train.settings import TrainSettings

RUN = TrainSettings(learning_rate=1e-3, batch_size=4, checkpoint_every=1)


def scalars(folder: Path) -> dict[str, list[int]]:
    """The steps of every scalar in a folder's event files, in order."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    scalars = defaultdict(list)
    for path in folder.glob("events.*"):
        records = path.read_bytes()
        while records:
            (length,) = struct.unpack("<Q", records[:8])
            event = event_pb2.Event.FromString(records[12 : 12 + length])
            records = records[16 + length :]
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    scalars[value.tag].append(event.step)
    return {tag: sorted(steps) for tag, steps in scalars.items()}


def test_segments_and_evaluations_join_in_one_run(
    tmp_path: Path,
    model_folder: Path,
    some_talks: Any,
    tokenizer: Any,
    program: Any,
    write_instances: Any,
) -> None:
    pytest.importorskip("tensorboardX")
    tokens = encode(some_talks(16), tokenizer, 100)
    tracking = Tracking(report_to=("tensorboard",), run="a/b", folder=tmp_path / "tracking")
    first, state = train(model_folder, tokens, RUN, tmp_path / "1", stop=2, tracking=tracking)
    for work in ("2", "again"):  # trained twice, but tracked once
        train(model_folder, tokens, RUN, tmp_path / work, before=state, tracking=tracking)
    steps = scalars(tmp_path / "tracking/a/b")
    assert steps["train/loss"] == steps["train/learning_rate"] == [1, 2, 3, 4]
    plain, _ = train(model_folder, tokens, RUN, tmp_path / "plain", stop=2)
    assert contents(plain) == contents(first)

    write_instances(tmp_path / "test.parquet", some_talks(3), test="heldout")
    for _ in range(2):
        done = program(
            "evaluate.py",
            *("--model", model_folder, "--instances", tmp_path / "test.parquet"),
            *("--checkpoints", first, "--output", tmp_path / "L.parquet", "--tracking", tracking),
        )
        assert done.returncode == 0, done.stderr
    assert scalars(tmp_path / "tracking/a/b")["eval/heldout_loss"] == [0, 1, 2]


@pytest.mark.parametrize("tracker", ["tensorboard", "wandb"])
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tracker: Any) -> None:
    monkeypatch.setattr("nearfirst.model.tracking.find_spec", lambda _: None)
    with pytest.raises(InputError, match=f"report_to: '{tracker}' needs .* pip install {tracker}"):
        check_packages((tracker,))
