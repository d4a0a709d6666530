"""Tables that are made part by part: what is kept, reused and removed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import cut, empty

from nearfirst.common.files import partial_folder
from nearfirst.model.parts import write_by_checkpoint, write_in_parts

PARTS = {"a": 1, "b": 2, "c": 3, "d": 4}
METADATA = {"left_out": "2"}


def part(name: str) -> pa.Table:
    return pa.table({"name": pa.array([name] * 3), "value": pa.array([1.5, None, 2], pa.float32())})


class Job:
    """Writes a table in parts, and lists those that it computes; it is stopped before some."""

    def __init__(self, output: Path) -> None:
        self.output = output

    def run(
        self, stop_before: str = "", parts: Any = PARTS, made_from: Any = ("code",)
    ) -> list[str]:
        computed = []

        def compute(names: list[str]) -> Iterator[pa.Table]:
            for name in names:
                if name == stop_before:
                    raise KeyboardInterrupt
                computed.append(name)
                yield part(name)

        try:
            table = write_in_parts(self.output, parts, compute, made_from, METADATA)
        except KeyboardInterrupt:
            assert not self.output.exists()
        else:
            assert table == pa.concat_tables([part(name) for name in parts])
            assert not partial_folder(self.output).exists()
        return computed

    def path(self, name: str) -> Path:
        return partial_folder(self.output) / f"{name}.parquet"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "table.parquet")


def test_a_stopped_job_goes_on_to_the_same_bytes(job: Job, tmp_path: Path) -> None:
    whole = Job(tmp_path / "whole.parquet")
    assert whole.run() == list(PARTS)
    assert job.run(stop_before="b") == ["a"]
    assert job.run(stop_before="d") == ["b", "c"]
    assert job.run() == ["d"]
    assert job.output.read_bytes() == whole.output.read_bytes()
    assert pq.read_schema(job.output).metadata == {b"left_out": b"2"}


def test_only_undamaged_parts_made_from_the_same_are_reused(job: Job) -> None:
    assert job.run(stop_before="d") == ["a", "b", "c"]
    assert job.run(stop_before="d") == []
    cut(job.path("a"))
    empty(job.path("b"))
    assert job.run(stop_before="d") == ["a", "b"]
    pq.write_table(part("a"), job.path("a"))  # without a fingerprint
    assert job.run(stop_before="d") == ["a"]
    assert job.run(stop_before="d", parts=PARTS | {"b": 0}) == ["b"]
    assert job.run(stop_before="d", parts=PARTS | {"b": 0}, made_from=("other",)) == [*"abc"]
    assert job.run(made_from=("other",)) == ["b", "d"]


def test_parts_of_checkpoints_are_made_from_the_weights_of_their_windows(tmp_path: Path) -> None:
    steps = [tmp_path / f"step-{step:06d}" for step in range(3)]
    for step in steps:
        step.mkdir()
        (step / "model.safetensors").write_bytes(b"weights")
    windows = [steps[:1], steps[0:2], steps[1:3]]
    output, computed = tmp_path / "table.parquet", []

    def compute(todo: Any) -> Iterator[pa.Table]:
        for window in todo:
            computed.append(windows.index(window))
            yield part(window[-1].name)
        raise KeyboardInterrupt

    for changed, expected in ((None, [0, 1, 2]), (steps[1], [1, 2]), (steps[0], [0, 1])):
        if changed:
            (changed / "model.safetensors").write_bytes(b"others")
            (changed / "adapter_model.safetensors").write_bytes(b"others")
            (changed / "tokenizer.json").write_text("{}")
        with pytest.raises(KeyboardInterrupt):
            write_by_checkpoint(output, windows, compute, [], {})
        assert computed == expected
        computed.clear()
    (steps[2] / "tokenizer.json").write_text("{}")
    with pytest.raises(KeyboardInterrupt):
        write_by_checkpoint(output, windows, compute, [], {})
    assert computed == []
