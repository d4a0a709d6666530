"""Disk space of checkpoints, and what can be computed from those that are kept."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from checkout import Checkout

RUN = "flan/specialist-0/random/seed-0"
SEGMENTS = ["0-4", "4-8", "8-12", "12-16"]
TARGETS = [f"results/losses/{RUN}/{segment}.parquet" for segment in SEGMENTS]
# A checkpoint at every second step: the first segment has 3, the others 2 each.
BOUNDED = [
    *("--config", "seeds=[0]", "keep_checkpoints=false"),
    "train={steps: 16, segment_steps: 4, checkpoint_every: 2}",
]
OF_TWO_SEGMENTS = 5


def weights(folder: Path) -> int:
    """Return the bytes of all checkpoints' weights, half-written ones included."""
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


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
    # It works again: what was trained is used, and removed before the next but one begins.
    printed = checkout.snakemake(*TARGETS, *BOUNDED).stdout
    removed = "Removing temporary output results/checkpoints/flan/random/seed-0"
    done = [printed.index(f"{removed}/{segment}.") for segment in SEGMENTS[:2]]
    begun = [match.start() for match in re.finditer(r"^Job \d+: train ", printed, re.MULTILINE)]
    assert len(begun) == 2
    assert done[0] < begun[0]
    assert done[1] < begun[1]
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


def test_kept_checkpoints_are_evaluated_again_without_training(finished: Checkout) -> None:
    # Another test set, and another metric.
    losses = f"results/losses/{RUN.replace('specialist', 'generalist')}/0-end.parquet"
    scores = f"results/scores/{RUN}/0-end.parquet"
    expected = {"sample": 1, "evaluate": 1, "generate": 1, "score": 1}
    assert finished.would_run(losses, scores) == expected
