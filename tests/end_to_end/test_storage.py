"""Disk space of checkpoints, and what can be computed from those that are kept."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from checkout import Checkout

RUN = "flan/specialist-0/random/seed-0"
SEGMENTS = ["0-4", "4-8", "8-12", "12-16"]
TARGETS = [f"results/losses/{RUN}/{segment}.parquet" for segment in SEGMENTS]
# A checkpoint at every second step: the first segment has 3, the others 2 each, the run 9.
BOUNDED = [
    *("--config", "seeds=[0]", "keep_checkpoints=false"),
    "train={steps: 16, segment_steps: 4, checkpoint_every: 2}",
]
OF_TWO_SEGMENTS, OF_THE_RUN = 5, 9


def weights(folder: Path) -> int:
    """Return the bytes of all checkpoints' weights, half-written ones included."""
    total = 0
    # Folders may be removed meanwhile, which `os.walk` allows.
    for path in (Path(where) / name for where, _, names in os.walk(folder) for name in names):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.suffix == ".safetensors" else 0
    return total


@contextmanager
def watched(folder: Path) -> Iterator[list[int]]:
    """Watch a folder's checkpoints while the block runs; yield a list with their peak bytes."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            peak[0] = max(peak[0], weights(folder))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def test_a_run_has_checkpoints_of_at_most_two_segments(copy_of_finished: Checkout) -> None:
    checkout, checkpoints = copy_of_finished, copy_of_finished.folder / "results/checkpoints"
    segments = checkpoints / "flan/random/seed-0"
    one = (segments / "0-end/step-000000/model.safetensors").stat().st_size
    checkpoints.rename(checkout.folder / "kept")
    # Evaluation fails; even so, training does not fill the disk.
    failing = [*BOUNDED, "evaluate={precision: float16}"]
    done = checkout.snakemake(*TARGETS, "--keep-going", *failing, check=False)
    assert done.returncode != 0
    assert sorted(path.name for path in segments.iterdir()) == SEGMENTS[:2]
    assert weights(checkpoints) == OF_TWO_SEGMENTS * one
    # It works again: what was trained is used, and removed once it is evaluated.
    with watched(checkpoints) as peak:
        done = checkout.snakemake(*TARGETS, *BOUNDED)
    assert len(re.findall(r"^Job \d+: train ", done.stdout, re.MULTILINE)) == 2
    assert 2 * one <= peak[0] <= OF_TWO_SEGMENTS * one < OF_THE_RUN * one
    assert weights(checkpoints) == 0
    assert not list((checkout.folder / "results/states").rglob("*.*"))
    parts = [pq.read_table(checkout.folder / target) for target in TARGETS]
    steps = [step for part in parts for step in dict.fromkeys(part["step"].to_pylist())]
    assert steps == list(range(0, 17, 2))
    # The same numbers as in one segment, at the checkpoints of both.
    unsegmented = pq.read_table(checkout.folder / f"results/losses/{RUN}/0-end.parquet")
    segmented = pa.concat_tables(parts).to_pandas().query("step % 4 == 0").reset_index(drop=True)
    assert segmented.equals(unsegmented.to_pandas())
    # A change of keep_checkpoints only renews the marks; if training reruns, it waits again.
    assert checkout.would_run(*TARGETS, *BOUNDED) == {}
    kept = [part.replace("false", "true") for part in BOUNDED]
    assert checkout.would_run(*TARGETS, *kept) == {"wait_for_evaluation": 2}
    retrained = [part.replace("steps: 16", "steps: 16, learning_rate: 0.002") for part in BOUNDED]
    assert checkout.would_run(*TARGETS, *retrained) == {
        **{"train": 4, "evaluate": 4},
        "wait_for_evaluation": 2,
    }


def test_kept_checkpoints_are_evaluated_again_without_training(
    copy_of_finished: Checkout,
) -> None:
    checkout = copy_of_finished
    # Another test set, and another metric.
    losses = f"results/losses/{RUN.replace('specialist', 'generalist')}/0-end.parquet"
    scores = f"results/scores/{RUN}/0-end.parquet"
    expected = {"sample": 1, "evaluate": 1, "generate": 1, "score": 1}
    assert checkout.would_run(losses, scores) == expected
    checkout.snakemake(losses)
    steps = pq.read_table(checkout.folder / losses)["step"].to_pylist()
    assert sorted(set(steps)) == [0, 4, 8, 12, 16]
    # Other instances in an existing test set: only they are evaluated again.
    change = "data={flan: {sample: {specialist_per_task: 2}}}"
    target = f"results/losses/{RUN}/0-end.parquet"
    assert checkout.would_run(target, "--config", change) == {"sample": 1, "evaluate": 1}
