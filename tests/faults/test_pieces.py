"""One piece, two segments, five segments: the same weights and the same loss tables."""

import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faults import Job, Warm, contents, evaluation, training
from kills import Undisturbed


def segments(warm: Warm, results: Path, folder: Path, cuts: list[int]) -> list[Job]:
    """Train one segment after the other, each from the state of the one before."""
    jobs: list[Job] = []
    for start, stop in itertools.pairwise(cuts):
        before = {"state_before": jobs[-1].folder / "state"} if jobs else {}
        job = training(results, folder / f"{start}", start=start, stop=stop, **before)
        printed = warm.finish(job)
        assert f"steps {start} to {stop} of 64, from " in printed
        jobs.append(job)
    return jobs


def losses(warm: Warm, results: Path, folder: Path, checkpoints: list[Path]) -> pa.Table:
    """Evaluate folders of checkpoints, one job each, and join what they wrote."""
    jobs = [
        evaluation(results, folder / f"losses-{number}", checkpoints=place)
        for number, place in enumerate(checkpoints)
    ]
    for job in jobs:
        warm.finish(job)
    return pa.concat_tables(pq.read_table(job.folder / "losses.parquet") for job in jobs)


@pytest.mark.parametrize("cuts", [[0, 32, 64], [0, 8, 24, 40, 56, 64]])
def test_segments(
    warm: Warm, results: Path, tmp_path: Path, undisturbed: Undisturbed, cuts: list[int]
) -> None:
    jobs = segments(warm, results, tmp_path, cuts)
    made: dict[str, bytes] = {}
    for job in jobs:
        checkpoints = contents(job.folder / "checkpoints")
        assert not made.keys() & checkpoints.keys()
        made |= checkpoints
    last = contents(jobs[-1].folder / "state")
    del last["seal.json"]  # it names the checkpoints of its own segment
    parts = {"checkpoints": made, "state": last}
    found = {
        f"{part}/{name}": data for part, files in parts.items() for name, data in files.items()
    }
    assert found == undisturbed.result

    table = losses(warm, results, tmp_path, [job.folder / "checkpoints" for job in jobs])
    whole = losses(warm, results, tmp_path / "whole", [undisturbed.folder / "checkpoints"])
    assert table.equals(whole)
    assert len(set(whole["loss"].to_pylist())) > len(whole) / 2
