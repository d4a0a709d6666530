"""Names that are harmful as paths, shell text, wildcards or formulas, from raw data to figure."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from checkout import Checkout, copy_project

from nearfirst.common.identity import write_run

TASKS = [
    "../../x; rm -rf ~",
    "/absolute/$HOME/pwned",
    "a b\"c'd",
    "{wildcard} {{twice}} {0}",
    "$(touch pwned) `touch pwned` >pwned",
    "two\nlines, and a comma",
    "$x_{$ \\frac{ %s",
    "=1+1|' /C calc'!A1",
    "\x1b[31m\u202e\t\x00"[:-1],
    "NA",
    "*",
    "~",
]
LABEL = "$(touch pwned) {x} 'q\" \\"
FIGURE = "fig2_permutations"


def rows() -> list[dict[str, object]]:
    """Return instances of these unseen tasks, and of as many training tasks with similar names."""
    return [
        {
            "id": f"{task}/{number}",
            "source": task,
            "conversations": [
                {"from": "human", "value": f"What comes after {number}, {task}?"},
                {"from": "gpt", "value": f"{number + 1}, {task}."},
            ],
        }
        for task in [*TASKS, *trained()]
        for number in range(4)
    ]


def trained() -> list[str]:
    return [f"{task} too" for task in TASKS]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder with something in it to lose."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "letters").write_text("Dear …")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def checkout(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The project and its data in folders with odd names, with instances and an arrangement."""
    folder = tmp_path_factory.mktemp("checkout")
    data = folder / "my $(touch pwned) 'data' \"\\;"
    data.mkdir()
    (data / "flan_mini.json").write_text(json.dumps(rows()))
    lists = {"train_key_list": trained(), "eval_key_list": TASKS}
    (data / "lists.json").write_text(json.dumps(lists))
    made = copy_project(folder / "it's $(touch pwned)")
    path = {"path": str(data / "flan_mini.json"), "key_list": str(data / "lists.json")}
    figure = {"tasks": TASKS, "curves": {LABEL: "random"}}
    config = {"seeds": [0], "data": {"flan": path}, "figures": {FIGURE: figure}}
    (made.folder / "odd.yaml").write_text(yaml.safe_dump(config))
    parts = [f"results/instances/flan/{part}.parquet" for part in ("train", "specialist-0")]
    snakemake(made, *parts, "results/arrangements/flan/random/seed-0.parquet")
    return made


def snakemake(checkout: Checkout, *arguments: str) -> None:
    checkout.snakemake(*arguments, "--configfile", "config.yaml", "odd.yaml")


@pytest.fixture(scope="module")
def drawn(checkout: Checkout, program: Any, model_folder: Path) -> Checkout:
    """The losses of two checkpoints, copies of the base model, and the figure of the tasks."""
    results = checkout.folder / "results"
    for step in (0, 4):
        shutil.copytree(model_folder, results / f"segment/step-{step:06d}")
    identity = {"dataset": "flan", "arrangement": "random", "seed": "0"}
    write_run(results / "segment", identity)
    run = results / "losses/flan/specialist-0/random/seed-0"
    done = program(
        *("evaluate.py", "--model", model_folder, "--checkpoints", results / "segment"),
        *("--instances", results / "instances/flan/specialist-0.parquet"),
        *("--output", run / "0-end.parquet"),
    )
    assert done.returncode == 0, done.stderr
    # The figure's warnings are read from it; the model here has no skills.
    (results / "base_skills.csv").write_text("seed,skill,present\n0,opposite,yes\n")
    snakemake(checkout, f"results/{FIGURE}.pdf", "--allowed-rules", "task_curves", "plot")
    return checkout


def tasks_of(table: Path) -> set[str]:
    return set(pq.read_table(table)["task"].to_pylist())


def test_tasks_keep_their_names_from_the_data_to_the_figure(drawn: Checkout) -> None:
    results = drawn.folder / "results"
    assert tasks_of(results / "instances/flan/specialist-0.parquet") == set(TASKS)
    assert tasks_of(results / "instances/flan/train.parquet") == set(trained())
    order = pq.read_table(results / "arrangements/flan/random/seed-0.parquet")["id"].to_pylist()
    assert set(order) == {f"{task}/{number}" for task in trained() for number in range(4)}
    assert tasks_of(results / "losses/flan/specialist-0/random/seed-0/0-end.parquet") == set(TASKS)
    table = pd.read_csv(results / f"{FIGURE}.csv", keep_default_na=False)
    assert list(dict.fromkeys(table["task"])) == TASKS
    assert list(dict.fromkeys(table["panel"])) == TASKS
    assert set(table["arrangement"]) == {LABEL}
    assert (results / f"{FIGURE}.pdf").read_bytes().startswith(b"%PDF")


def test_nothing_was_run_or_written_elsewhere(drawn: Checkout, home: Path) -> None:
    assert (home / "letters").read_text() == "Dear …"
    beside = {path.name for path in drawn.folder.parent.iterdir()}
    assert beside == {drawn.folder.name, "my $(touch pwned) 'data' \"\\;"}
    for folder, folders, files in os.walk(drawn.folder.parent):
        assert not {"pwned", "x", "x; rm -rf ~"} & {*folders, *files}, folder
    assert not Path("/absolute").exists()
    expected = {"instances", "arrangements", "losses", "segment", "logs", "benchmarks", "README.md"}
    expected |= {f"{FIGURE}.{kind}" for kind in ("csv", "pdf", "svg", "txt", "yaml")}
    names = {path.name for path in (drawn.folder / "results").iterdir()}
    assert names == expected | {"base_skills.csv"}


def test_braces_in_a_path_are_reported(checkout: Checkout, tmp_path: Path) -> None:
    folder = tmp_path / "{dataset}"
    folder.mkdir()
    config = f"model={{name: '{folder}'}}"
    done = checkout.snakemake("-n", "results/table4.csv", "--config", config, check=False)
    assert f"config key 'model.name' ('{folder}'): Snakemake takes" in done.stdout


def test_a_folder_that_no_job_can_be_submitted_from_is_named(checkout: Checkout) -> None:
    done = checkout.snakemake("-n", "results/table4.csv", "--profile", "slurm", check=False)
    folder = str(checkout.folder)
    assert f"the project's folder ({folder!r}): Snakemake cannot submit jobs from" in done.stdout
