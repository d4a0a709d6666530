"""A disk that fills up under a job: one line names the place, and the next call makes it good."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import Job, embedding, evaluation, training
from kills import Undisturbed
from small_disk import small_disk
from test_kills import EMBEDDINGS, LOSSES

SIZE = 16 * 2**20
PAGE = 4096
Make = Callable[[Path, Path], Job]


def check(job: Job, line: str) -> None:
    """Check the line of a job that failed, and what it has left."""
    assert line.startswith(f"error: {job.folder}/"), line
    assert "free some space and run again" in line
    # Only a training job leaves something: what it resumes from.
    assert job.debris() == ({"checkpoints.partial"} if job.program == "train.py" else set())


def check_again(job: Job, results: Path, undisturbed: Undisturbed) -> None:
    """Run a job that has space now, and compare its outputs."""
    job.finish()
    expected = {
        "train.py": lambda: undisturbed.result,
        "evaluate.py": lambda: {"losses.parquet": (results / LOSSES).read_bytes()},
        "embed.py": lambda: {"embeddings.parquet": (results / EMBEDDINGS).read_bytes()},
    }
    assert job.result() == expected[job.program]()


@pytest.mark.parametrize(
    ("make", "pages"),  # left free
    [
        *((training, pages) for pages in (20, 70, 250, 500)),  # a state has some 480 KB
        *((evaluation, pages) for pages in (0, 1)),
        *((embedding, pages) for pages in (0, 10)),
    ],
)
def test_a_disk_that_fills_up(
    results: Path, tmp_path: Path, undisturbed: Undisturbed, make: Make, pages: int
) -> None:
    with small_disk(tmp_path / "disk", f"{SIZE}") as disk:
        job = make(results, disk / "job")
        free = os.statvfs(disk)
        filler = disk / "filler"
        filler.write_bytes(bytes(free.f_bavail * free.f_frsize - pages * PAGE))
        process = job.start()
        assert process.wait() == 1
        (line,) = process.printed.read_text().splitlines()
        check(job, line)
        filler.unlink()
        check_again(job, results, undisturbed)


@pytest.mark.parametrize(
    ("make", "limit"),
    [(training, 100_000), (training, 200_000), (evaluation, 1000), (embedding, 50_000)],
)
def test_a_limit_of_file_sizes(
    results: Path, tmp_path: Path, undisturbed: Undisturbed, make: Make, limit: int
) -> None:
    # The same where nothing can be mounted: the kernel refuses what is beyond the limit.
    job = make(results, tmp_path / "job")
    check(job, job.fail(limit))
    check_again(job, results, undisturbed)
