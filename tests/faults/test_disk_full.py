"""A disk that fills up under a job: one line names the place, and the next call makes it good."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults import Job, Warm, embedding, evaluation, training
from kills import Undisturbed
from small_disk import small_disk

SIZE = 16 * 2**20
PAGE = 4096
Make = Callable[[Path, Path], Job]


# Pages left free. A checkpoint is some 150 KB, a state 480 KB, the losses 3 KB, embeddings 70 KB.
FREE = {training: [20, 70, 250, 500], evaluation: [0, 1], embedding: [0, 10]}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB, where this machine allows to mount one."""
    with small_disk(tmp_path / "disk", SIZE) as folder:
        yield folder


def expected(make: Make, results: Path, undisturbed: Undisturbed) -> dict[str, bytes]:
    """Return what the job writes when it is left alone."""
    if make is training:
        return undisturbed.result
    if make is evaluation:
        path = results / "losses/flan/specialist-0/random/seed-0/0-end.parquet"
        return {"losses.parquet": path.read_bytes()}
    return {"embeddings.parquet": (results / "embeddings/flan/specialist-0.parquet").read_bytes()}


def fill(disk: Path, pages: int) -> Path:
    """Fill a disk with a file up to so many free pages."""
    filler = disk / "filler"
    left = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - pages * PAGE
    filler.write_bytes(bytes(left))
    return filler


@pytest.mark.parametrize(
    ("make", "pages"), [(make, pages) for make, cases in FREE.items() for pages in cases]
)
def test_a_disk_that_fills_up(
    warm: Warm, results: Path, disk: Path, undisturbed: Undisturbed, make: Make, pages: int
) -> None:
    job = make(results, disk / "job")
    filler = fill(disk, pages)
    code, screen = warm.run(job, log=True)
    assert code == 1, screen
    (line,) = screen.splitlines()
    assert line.startswith(f"error: {job.folder}/"), line
    assert "free some space and run again" in line
    # Only a training job leaves something: what it goes on from.
    assert job.debris() == ({"checkpoints.partial"} if make is training else set())
    filler.unlink()
    warm.finish(job)
    assert job.result() == expected(make, results, undisturbed)


@pytest.mark.parametrize(
    ("make", "limit"),
    [(training, 100_000), (training, 200_000), (evaluation, 1000), (embedding, 50_000)],
)
def test_a_limit_of_file_sizes(
    warm: Warm, results: Path, tmp_path: Path, undisturbed: Undisturbed, make: Make, limit: int
) -> None:
    # The same where nothing can be mounted: the kernel refuses what is beyond the limit.
    job = make(results, tmp_path / "job")
    line = warm.fail(job, limit)
    assert line.startswith(f"error: {job.folder}/"), line
    assert "free some space and run again" in line
    assert job.debris() == ({"checkpoints.partial"} if make is training else set())
    warm.finish(job)
    assert job.result() == expected(make, results, undisturbed)
