"""benchmarks/gpu.py on a CPU: every row is measured, or says why not."""

import importlib
import math
import os
import pickle
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import ROOT, environment
from warm import folder_of_python

Tables = list[dict[str, list[str]]]
CHECKS = [
    *("machine", "matrix products in bfloat16"),
    *("loss, trained in bfloat16", "loss, evaluated in bfloat16"),
    *("two runs the same bytes", "two runs the same bytes, deterministic: false"),
    *("resumed, the same bytes", "float16, steps skipped", "float16, resumed, the same bytes"),
    *("FSDP with offload against none, float32", "FSDP, resumed, the same bytes"),
    *("FSDP, float16, steps skipped", "FSDP, float16, resumed, the same bytes"),
    "two processes against one, float32",
]
TASKS = ["training", "training of an adapter", "evaluation", "generation"]
SPEED = [f"{size}, {task}" for size in ("135M", "1B", "7B") for task in TASKS]
SPEED += [f"{size}, training, deterministic: false" for size in ("135M", "1B")]
SPEED += [f"{size}, training with offload" for size in ("1B", "7B")]


def run(*flags: str) -> str:
    done = subprocess.run(
        [f"{folder_of_python()}/python", str(ROOT / "benchmarks/gpu.py"), "--cpu", *flags],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tables(printed: str) -> Tables:
    """Return the rows of each table: the first cell, which names the row, and the other cells."""
    result: Tables = []
    for block in printed.split("\n\n"):
        lines = [line for line in block.strip().splitlines() if line.startswith("| ")]
        rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
        if rows:
            assert {len(row) for row in rows} == {len(rows[0])}
            result.append({name: cells for name, *cells in rows[2:]})
    return result


@pytest.fixture(scope="module")
def printed() -> str:
    return run("--minutes", "60")  # however busy the machine is


def test_the_dry_run_has_every_row(printed: str) -> None:
    checks, speed = tables(printed)
    assert list(checks) == CHECKS
    assert sorted(speed) == sorted(SPEED)
    for name in (*checks, *speed):  # reported as soon as it is measured
        assert f" s  {name}: " in printed, name


def test_checks_of_the_dry_run(printed: str) -> None:
    checks = {name: cell for name, (cell,) in tables(printed)[0].items()}
    assert "transformers 5" in checks["machine"]
    for name, cell in checks.items():
        if "float16" in name and "bfloat16" not in name:
            assert cell.startswith("refused: train.precision: float16 needs a GPU")
        elif "the same bytes" in name:
            assert cell == "yes", name
    for name in ("loss, trained in bfloat16", "loss, evaluated in bfloat16"):
        ours, expected = (float(part.split()[0]) for part in checks[name].split("; "))
        assert abs(ours / expected - 1) < 0.01
    before = float(checks["loss, trained in bfloat16"].split(", ")[-1].split()[0])
    assert ours < before - 0.05  # it has learned
    for name in ("FSDP with offload against none, float32", "two processes against one, float32"):
        words = checks[name].split()
        apart, moved = float(words[3]), float(words[-1])
        assert apart < 1e-6 < 1e-4 < moved


def test_speeds_of_the_dry_run_are_numbers(printed: str) -> None:
    for cells in tables(printed)[1].values():
        ours, bare, ratio = (float(cell.replace(",", "")) for cell in cells[:3])
        assert ours > 0
        assert bare > 0
        assert math.isclose(ratio, ours / bare, rel_tol=0.05, abs_tol=0.02)
        mfu, unit = cells[3].split()
        assert unit == "%"
        assert 0 < float(mfu) < math.inf
        assert cells[4:] == ["-", "-"]  # the memory of a card


def test_a_row_that_there_is_no_time_for_says_so() -> None:
    printed = run("--minutes", "0", "--sections", "7B")
    assert "section 7B skipped: no time left" in printed
    for name, cells in (tables(printed)[0] | tables(printed)[1]).items():
        reason = "no time left" if name.startswith("7B") and "offload" not in name else "not asked"
        assert reason in cells[0]
        assert not any(cells[1:])


@pytest.fixture
def sections(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("sections")


@pytest.mark.parametrize(
    ("work", "limit", "reason"),
    [
        (
            lambda _: os.kill(os.getpid(), signal.SIGKILL),
            60,
            "failed: the process ended with exit code -9 (killed; no memory left on this machine?)",
        ),
        (lambda _: time.sleep(600), 5, "cut off: section name took longer than 5 s"),
    ],
)
def test_rows_are_kept_if_the_process_ends_later(
    sections: Any, work: Callable[[Any], Any], limit: float, reason: str
) -> None:
    rows = {"first": lambda setup: [setup], "row": work, "last": lambda setup: [setup]}
    measured = dict(sections.measure(sections.Section("name", rows), "ok", limit, fork=True))
    assert measured == {"first": ["ok"], "row": [reason], "last": [reason]}


def test_a_process_that_fails_ends_the_others_of_its_row(sections: Any) -> None:
    def work(_: Any) -> list[str]:
        if os.environ["RANK"] == "1":
            raise ValueError("the second process fails")
        time.sleep(600)
        return []

    section = sections.Section("name", {"row": work}, processes=2)
    ((name, cells),) = sections.measure(section, None, 60, fork=True)
    assert (name, cells) == ("row", ["failed: the process ended with exit code 1"])


def test_sections_are_measured_in_spawned_processes_as_on_a_gpu(
    sections: Any, tmp_path: Path
) -> None:
    gpu, gpu_setup = (importlib.import_module(name) for name in ("gpu", "gpu_setup"))
    for _, table in gpu.TABLES:
        for section in table:
            assert list(pickle.loads(pickle.dumps(section)).rows) == list(section.rows)
    setup = gpu_setup.Setup(tmp_path, cpu=True)
    rows = dict(sections.measure(gpu.CHECKS[0], setup, 600, fork=False))
    assert rows["matrix products in bfloat16"][0].endswith(" TFLOP/s")
    assert "torch 2" in rows["machine"][0]
