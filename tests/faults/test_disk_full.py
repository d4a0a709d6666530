"""A disk that fills up during a job: one line names the path, and the next call recovers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults import Job, Make, Outputs, embedding, evaluation, training
from small_disk import small_disk

PAGE = 4096


@contextmanager
def little_space(job: Job, free: int) -> Iterator[None]:
    """Fill the disk of a job except for `free` pages, until the block ends."""
    disk = os.statvfs(job.folder)
    filler = job.folder.parent / "filler"
    filler.write_bytes(bytes(disk.f_bavail * disk.f_frsize - free * PAGE))
    yield
    filler.unlink()


@pytest.mark.parametrize(
    ("make", "free"),
    [
        *((training, pages) for pages in (20, 70, 250, 500)),  # a state has about 480 KB
        *((evaluation, pages) for pages in (0, 1)),
        *((embedding, pages) for pages in (0, 10)),
    ],
)
def test_a_disk_that_fills_up(
    results: Path, tmp_path: Path, undisturbed: Outputs, make: Make, free: int
) -> None:
    with small_disk(tmp_path / "disk", "16m") as disk:
        job = make(results, disk / "job")
        with little_space(job, free):
            line = job.fail()
        assert line.startswith(f"error: {job.folder}/"), line
        assert "free some space and run again" in line
        # What to resume from. Without a free page there may be no room for a folder either.
        left = {f"{job.outputs[0]}.partial"}
        assert job.debris() == left or (free == 0 and not job.debris())
        job.finish()
        assert job.result() == undisturbed[make]
