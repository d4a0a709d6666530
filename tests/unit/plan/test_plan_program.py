"""The jobs and hours of a call, and the paper's plan as a user asks for it."""

import sys
from functools import partial
from pathlib import Path

import pytest
from checkout import Checkout, copy_project
from programs import Program
from warm import folder_of_python

from nearfirst.common.errors import InputError
from nearfirst.hardware import HardwareSettings, TrainHardware
from nearfirst.plan.dry_run import read_config
from nearfirst.plan.hours import hours, measured

HEAD = "s\th:m:s\tmax_rss\n"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return copy_project(tmp_path_factory.mktemp("fresh"))


@pytest.fixture
def plan(checkout: Checkout, program: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Run the program in a fresh checkout; its Snakemake is a fork."""
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setattr(sys, "executable", f"{folder_of_python()}/python")
    return partial(program, "plan.py")


def test_the_plan_of_the_papers_figure(plan: Program) -> None:
    config = ("--config", "preset=paper", "seeds=[0]", "keep_checkpoints=false")
    flags = ("--profile", "slurm", "--seconds", "train=4800", *config)
    done = plan("results/fig4_flan.pdf", *flags)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    # Three runs of six segments; 24 hours on two GPUs.
    assert ["train", "18", "4,800.00", "24.00", "48.00"] in lines
    assert ["evaluate", "18", "?", "?", "?"] in lines
    assert "3 runs, 6,738,415,616 parameters" in done.stdout
    # Two segments of a run at a time.
    assert [" ".join(line[-2:]) for line in lines[-5:]] == [
        *("822 GB", "323 GB", "0 B", "1.15 TB", "3.44 TB")
    ]


def test_what_snakemake_refuses_is_said(plan: Program) -> None:
    done = plan("results/fig4_flan.pdf", "--config", "trian={steps: 3}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "did you mean 'train'" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: Snakemake refuses")


def test_the_config_is_that_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("preset: tiny\ntrain: {steps: 9, batch_size: 4}\n")
    Path("more.yaml").write_text("train: {steps: 8, micro_batch_tokens: 2048}\n")
    config = read_config(["more.yaml"], ["train={steps: 7}", "keep_checkpoints=false"])
    assert (config.train.steps, config.train.batch_size) == (7, 4)
    assert (config.train.micro_batch_tokens, config.keep_checkpoints) == (2048, False)


def test_the_seconds_of_a_job_are_the_median(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name, seconds in (("train/1", 300), ("train/2", 1200), ("train/3", 891), ("pretrain", 5.5)):
        (tmp_path / f"{name}.tsv").write_text(f"{HEAD}{seconds}\t0:00:00\tNA\n")
    assert measured(tmp_path, "train") == 891
    assert measured(tmp_path, "pretrain") == 5.5
    assert measured(tmp_path, "evaluate") is None
    (tmp_path / "train/3.tsv").write_text(HEAD)
    with pytest.raises(InputError, match=r"3\.tsv: not a benchmark"):
        measured(tmp_path, "train")


def test_gpu_hours_are_those_of_all_gpus_of_a_job() -> None:
    hardware = HardwareSettings(train=TrainHardware(gpus=2))
    jobs = {"train": 3, "sample": 5, "reward": 4, "embed": 2, "warm_up": 1}
    seconds = {"train": 1800.0, "sample": 720.0, "reward": None, "embed": 900.0, "warm_up": 360.0}
    table, _, total = hours(jobs, seconds, hardware).rpartition("\ntotal: ")
    assert [" ".join(line.split()) for line in table.splitlines()[1:]] == [
        "embed 2 900.00 0.50 0.50",
        "reward 4 ? ? ?",
        "sample 5 720.00 1.00 0.00",
        "train 3 1,800.00 1.50 3.00",
        "warm_up 1 360.00 0.10 0.20",
    ]
    assert total.splitlines()[0] == "15 jobs, 3.10 hours, 3.70 GPU-hours"
