"""Bytes of checkpoints and of training states: of one, of a run, and at the peak.

Weights alone count: a file's header and a checkpoint's `config.json` add some kilobytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BYTES = {"float32": 4, "float16": 2}

STATES_KEPT = 2
"""States that a training job keeps to go on from if it is killed; the third removes the first."""

SEGMENTS_AT_ONCE = 2
"""Most segments of a run whose checkpoints are there, where they are not kept."""


@dataclass(frozen=True)
class ModelBytes:
    """Bytes of the base model in its forms."""

    weights: int
    """Master weights, float32."""
    optimizer: int
    """Adam's two moments, float32."""
    state: int
    """What a training job goes on from: weights and moments."""
    training: int
    """What training holds in memory: a state and the gradients, float32; no activations."""
    checkpoint: int
    """Weights in the number format of checkpoints."""


def model_bytes(parameters: int, checkpoint_dtype: str) -> ModelBytes:
    """Return the bytes of a model of so many parameters."""
    weights = BYTES["float32"] * parameters
    return ModelBytes(
        weights=weights,
        optimizer=2 * weights,
        state=3 * weights,
        training=4 * weights,
        checkpoint=BYTES[checkpoint_dtype] * parameters,
    )


@dataclass(frozen=True)
class Segment:
    """A training job to come: steps (start, stop] of a run, and what they leave."""

    start: int
    stop: int
    checkpoints: int
    states: int
    """States on disk at once while it runs."""


@dataclass(frozen=True)
class Run:
    """The segments of a run that are still to be trained, in order.

    `exact` is false where `stop` of the last is the most it can be; `bounded` says that nothing but
    losses on the data set's own test set are made of its checkpoints.
    """

    dataset: str
    arrangement: str
    seed: int
    segments: tuple[Segment, ...]
    exact: bool
    bounded: bool

    @property
    def steps(self) -> int:
        """Steps to train."""
        return sum(segment.stop - segment.start for segment in self.segments)

    @property
    def checkpoints(self) -> int:
        """Checkpoints to write."""
        return sum(segment.checkpoints for segment in self.segments)

    @property
    def states(self) -> int:
        """Most states on disk at once."""
        return max(segment.states for segment in self.segments)


def states_at_once(start: int, stop: int, every: int) -> int:
    """Return the most states on disk while the segment (start, stop] is trained.

    There is the state that the segment before left, until this job has ended. Its own are saved
    every so many steps and at its end, where the last becomes the state that it leaves;
    STATES_KEPT of them stay, and one more is written before the oldest goes.
    """
    saved = stop // every - start // every + (stop % every != 0)
    return (start > 0) + min(saved, STATES_KEPT + 1)


def checkpoints_at_once(run: Run, kept: bool) -> int:
    """Return the most checkpoints of a run on disk at once.

    Kept, all of them. Else a segment's go once all is made of them that this call makes, and rule
    `room` lets a segment be trained only when the losses of the segment before last are there. So
    while a segment k is written, there are those of k - 1, perhaps not yet evaluated, and those of
    k - 2 are gone: SEGMENTS_AT_ONCE neighbours at most. `room` waits for losses on the data set's
    own test set alone: where answers or losses on other test sets are made too, these may be late
    by any number of segments, and all of them is the only bound.
    """
    if kept or not run.bounded:
        return run.checkpoints
    counts = [segment.checkpoints for segment in run.segments]
    return max(sum(counts[at : at + SEGMENTS_AT_ONCE]) for at in range(len(counts)))


def bytes_at_end(runs: Sequence[Run], model: ModelBytes, kept: bool) -> int:
    """Return the bytes of checkpoints that stay."""
    return sum(run.checkpoints for run in runs) * model.checkpoint if kept else 0


def peak_bytes(runs: Sequence[Run], model: ModelBytes, kept: bool, at_once: int) -> int:
    """Return the most bytes of checkpoints and states on disk at once.

    Of `at_once` runs at most there are states, and, where checkpoints are not kept, checkpoints:
    those are the runs in training or not yet evaluated. The largest count.
    """
    in_flight = [run.states * model.state for run in runs]
    if not kept:
        in_flight = [
            size + checkpoints_at_once(run, kept) * model.checkpoint
            for size, run in zip(in_flight, runs, strict=True)
        ]
    return bytes_at_end(runs, model, kept) + sum(sorted(in_flight, reverse=True)[:at_once])
