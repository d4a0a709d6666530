"""One piece and five segments: the same weights and the same loss tables."""

import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from faults import Job, evaluation, training
from files import contents
from kills import Undisturbed

CUTS = [0, 8, 24, 40, 56, 64]


def losses(results: Path, folder: Path, checkpoints: list[Path]) -> pa.Table:
    """Evaluate folders of checkpoints, one job each, and join what they wrote."""
    parts = []
    for number, place in enumerate(checkpoints):
        job = evaluation(results, folder / f"losses-{number}", checkpoints=place)
        job.finish()
        parts.append(pq.read_table(job.folder / "losses.parquet"))
    return pa.concat_tables(parts)


def test_segments(results: Path, tmp_path: Path, undisturbed: Undisturbed) -> None:
    jobs: list[Job] = []
    made: dict[str, bytes] = {}
    for start, stop in itertools.pairwise(CUTS):
        before = {"state_before": jobs[-1].folder / "state"} if jobs else {}
        job = training(results, tmp_path / f"{start}", start=start, stop=stop, **before)
        assert f"steps {start} to {stop} of 64, from " in job.finish()
        found = contents(job.folder / "checkpoints")
        assert made.keys() & found.keys() <= {"run.json"}
        made |= found
        jobs.append(job)
    parts = {"checkpoints": made, "state": contents(jobs[-1].folder / "state")}
    del parts["state"]["checksums.json"]  # it names the checkpoints of its own segment
    assert undisturbed.result == {
        f"{part}/{name}": data for part, files in parts.items() for name, data in files.items()
    }

    table = losses(results, tmp_path, [job.folder / "checkpoints" for job in jobs])
    whole = losses(results, tmp_path / "whole", [undisturbed.folder / "checkpoints"])
    assert table.equals(whole)
    assert len(set(whole["loss"].to_pylist())) > len(whole) / 2
