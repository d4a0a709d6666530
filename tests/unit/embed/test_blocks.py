"""A killed embedding job goes on after its last block."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Program

from nearfirst.common.errors import InputError
from nearfirst.embed import blocks


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("encode", "hidden"):
        monkeypatch.setattr(f"nearfirst.embed.{module}.BLOCK", 4)


class Job:
    """Runs embed.py on instances, and counts the blocks that it computes or reuses."""

    def __init__(
        self, folder: Path, program: Program, model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.folder, self.program, self.model, self.patch = folder, program, model, monkeypatch
        self.reused = 0

    def computed(self, settings: dict[str, Any], limit: int, file: str = "I.parquet") -> int:
        """Return how many blocks a job computes that is stopped when it would exceed the limit."""
        count, write_part = 0, blocks.write_part

        def write(*arguments: Any) -> None:
            nonlocal count
            if count == limit:
                raise InputError("stopped")
            count += 1
            write_part(*arguments)

        with self.patch.context() as patch:
            patch.setattr(blocks, "write_part", write)
            done = self.program(
                *("embed.py", "--instances", self.folder / file, "--model", self.model),
                *("--settings", json.dumps(settings), "--output", self.folder / "E.parquet"),
            )
        assert done.returncode == int(done.stderr.endswith("error: stopped\n")), done.stderr
        self.reused = done.stderr.count(" was made by an earlier job\n")
        return count


@pytest.fixture
def job(
    tmp_path: Path, program: Program, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Job:
    return Job(tmp_path, program, model_folder, monkeypatch)


@pytest.mark.parametrize("kind", ["text", "hidden"])
def test_a_stopped_job_goes_on_to_the_same_bytes(
    kind: str, job: Job, some_talks: Callable[..., Any], write_instances: Any
) -> None:
    output, partial = job.folder / "E.parquet", job.folder / "E.parquet.partial"
    settings = {"kind": kind, "batch_tokens": 64}
    write_instances(job.folder / "I.parquet", some_talks(14))
    write_instances(job.folder / "J.parquet", some_talks(14, seed=1))
    assert job.computed(settings, 9) == 4
    whole = output.read_bytes()
    output.unlink()

    assert job.computed(settings, 2) == 2
    assert len(list(partial.iterdir())) == 2
    assert job.computed(settings, 1) == 1
    assert job.computed(settings, 9) == 1
    assert job.reused == 3
    assert output.read_bytes() == whole
    assert not partial.exists()

    # Blocks of something else are not used.
    for change in ({"batch_tokens": 32}, {}):
        assert job.computed(settings | change, 3) == 3
    assert job.computed(settings, 3, "J.parquet") == 3
    assert job.computed(settings, 9) == 4
    assert output.read_bytes() == whole
