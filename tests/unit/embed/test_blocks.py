"""A killed embedding job goes on after its last block."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Program

from nearfirst.common.errors import InputError
from nearfirst.embed import blocks


@pytest.mark.parametrize("kind", ["text", "hidden"])
def test_a_stopped_job_goes_on_to_the_same_bytes(
    kind: str,
    tmp_path: Path,
    program: Program,
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    some_talks: Callable[..., Any],
    write_instances: Any,
) -> None:
    for module in ("encode", "hidden"):
        monkeypatch.setattr(f"nearfirst.embed.{module}.BLOCK", 4)
    output, partial = tmp_path / "E.parquet", tmp_path / "E.parquet.partial"
    settings = {"kind": kind, "batch_tokens": 64}
    for file, seed in (("I", 0), ("J", 1)):
        write_instances(tmp_path / file, some_talks(14, seed=seed))
    write_part = blocks.write_part

    def blocks_of(settings: dict[str, Any], limit: int, file: str = "I") -> tuple[int, int]:
        """Count the blocks that a job computes, which is stopped at the limit, and reuses."""
        written: list[None] = []

        def write(*arguments: Any) -> None:
            if len(written) == limit:
                raise InputError("stopped")
            written.append(write_part(*arguments))

        monkeypatch.setattr(blocks, "write_part", write)
        flags = ("--instances", tmp_path / file, "--model", model_folder, "--output", output)
        done = program("embed.py", *flags, "--settings", json.dumps(settings))
        assert done.returncode == int(done.stderr.endswith("error: stopped\n")), done.stderr
        return len(written), done.stderr.count(" was made by an earlier job\n")

    assert blocks_of(settings, 9) == (4, 0)
    whole = output.read_bytes()
    output.unlink()

    assert blocks_of(settings, 2) == (2, 0)
    assert len(list(partial.iterdir())) == 2
    assert blocks_of(settings, 1) == (1, 2)
    assert blocks_of(settings, 9) == (1, 3)
    assert output.read_bytes() == whole
    assert not partial.exists()

    # Blocks of something else are not used.
    for change in ({"batch_tokens": 32}, {}):
        assert blocks_of(settings | change, 3) == (3, 0)
    assert blocks_of(settings, 3, "J") == (3, 0)
    assert blocks_of(settings, 9) == (4, 0)
    assert output.read_bytes() == whole
