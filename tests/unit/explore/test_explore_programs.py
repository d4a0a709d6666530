"""The two programs of an exploration, on usual and on odd files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from programs import Program
from texts import assert_readable

from nearfirst.arrange.tma import rounds_by
from nearfirst.common.embeddings import read_embeddings
from nearfirst.distance.distances import distance_matrix
from nearfirst.explore import plot
from nearfirst.explore.caption import caption
from nearfirst.explore.plot import draw_exploration
from nearfirst.explore.read import (
    cumulative_shares,
    leak_warning,
    number,
    panel_rows,
    read_exploration,
    task_table,
)
from nearfirst.figures.look import LookSettings

LOOK = LookSettings()
SIDES = ("train", "test")
ODD = ["$x_1$, \\frac", 'a "quoted", task', "NA", "very_" * 30 + "long", "ünï", "two\nlines"]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, program: Program, write_side: Any) -> Path:
    """Explore and draw two sides with tasks of odd names; two test instances are in the pool."""
    folder = tmp_path_factory.mktemp("usual")
    generator = np.random.default_rng(0)
    train, test = (generator.normal(size=(size, 8)) for size in (60, 18))
    prompts, test_prompts = ([f"{side} {i} words" for i in range(60)] for side in "pq")
    for i in range(2):
        train[7 * i], prompts[7 * i] = test[i], test_prompts[i].upper()
    flags = [
        *write_side(folder, "train", [f"pool {i % 5}" for i in range(60)], prompts, train),
        *write_side(folder, "test", ODD * 3, test_prompts[:18], test),
    ]
    done = explore(program, folder, *flags)
    assert f"2 of 18 test instances ({folder}/test.parquet) have the same text" in done.stderr
    flags = ["--table", f"{folder}/x.csv", "--output", f"{folder}/x.pdf"]
    drawn = program("plot_exploration.py", *flags)
    assert drawn.returncode == 0, drawn.stderr
    return folder


def explore(program: Program, folder: Path, *flags: str) -> Any:
    outputs = ("--output", folder / "x.csv", "--pairs", folder / "x_pairs.csv")
    done = program("explore.py", *flags, *outputs)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def table(usual: Path) -> pd.DataFrame:
    return read_exploration(usual / "x.csv")


def test_numbers_against_the_whole_matrix(usual: Path, table: pd.DataFrame) -> None:
    paths = [usual / f"{side}_embeddings.parquet" for side in SIDES]
    matrix = distance_matrix("cosine", *(read_embeddings(path)[1] for path in paths))
    rounds = np.bincount(rounds_by(lambda rows: matrix[rows], *matrix.shape))[1:].tolist()
    # Shown as 1 − cos.
    matrix = 1 + matrix
    assert number(table, "test_median") == pytest.approx(np.median(matrix.min(axis=0)))
    assert number(table, "train_median") == pytest.approx(np.median(matrix.min(axis=1)))
    assert panel_rows(table, "distance")["x"].min() == pytest.approx(matrix.min(), abs=1e-6)
    assert panel_rows(table, "round")["value"].tolist() == rounds
    tasks, near = task_table(table).set_index("task"), number(table, "near")
    assert set(tasks.index) == set(ODD)
    assert tasks["median"].is_monotonic_increasing
    for i, task in enumerate(ODD):
        nearest = matrix[:, i :: len(ODD)].min(axis=0)
        assert tasks.loc[task, "near_test"] == (nearest <= near).sum()
        assert tasks.loc[task, "min"] == pytest.approx(nearest.min(), abs=1e-6)


def test_the_pairs_name_ids_and_tasks(usual: Path) -> None:
    pairs = pd.read_csv(usual / "x_pairs.csv", keep_default_na=False)
    same = pairs[pairs["kind"] == "identical text"]
    assert same.drop(columns="kind").to_numpy().tolist() == [
        ["train-0", "pool 0", "test-0", ODD[0], 1, 1, 2],
        ["train-7", "pool 2", "test-1", ODD[1], 1, 1, 2],
    ]


def test_the_caption_counts(usual: Path, table: pd.DataFrame) -> None:
    text = " ".join((usual / "x.txt").read_text().split())
    for part in (
        "60 training instances of 5 tasks and 18 test instances of 6 tasks; no task is in both.",
        "Warning: 2 of 18 test instances have the same text",
        "(a) Cosine distance (1 − cos)",
        "90% of 60 training instances have one of another task within this distance",
        "the same text up to case and white space: 2 (of 2 training and 2 test instances);",
        "x_pairs.csv lists them",
    ):
        assert part in text
    table.loc[table["what"] == "distinct", "value"] = 40
    assert "the encoder cut: 0 of 60; different embeddings: 40. (a)" in caption("explore_x", table)
    assert (usual / "x.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("look", "max_tasks"), [(LookSettings(panel_width=2.0, font_size=11), 20), (LOOK, 2)]
)
def test_no_text_is_cut_off_or_covered(
    table: pd.DataFrame, look: LookSettings, max_tasks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plot, "MAX_TASKS", max_tasks)
    texts = assert_readable(draw_exploration(table, look))
    assert ("4 tasks between" in texts) == (max_tasks == 2)
    assert sum("/3" in text for text in texts) == min(max_tasks, len(ODD))
    texts = assert_readable(draw_exploration(one_task(table), look))
    assert not any("/3" in text or "between" in text for text in texts)


def one_task(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as if there were only the first test task."""
    table = table[table["task"].isin(["", ODD[0]])].copy()
    table.loc[table["what"] == "test_tasks", "value"] = 1
    return table


def test_no_panel_is_empty(table: pd.DataFrame) -> None:
    def titles(table: pd.DataFrame) -> list[str]:
        return [axes.get_title()[:8] for axes in draw_exploration(table, LOOK).axes]

    assert titles(table) == ["(a) Dist", "(b) Test", "(c) Roun", "(d) In p"]
    assert titles(one_task(table)) == ["(a) Dist", "(b) Roun", "(c) In p"]
    assert "(c) Pairs of a training" in caption("x", one_task(table))
    table.loc[table["panel"].str.startswith("pairs"), "value"] = 0
    assert titles(one_task(table)) == ["(a) Dist", "(b) Roun"]
    assert "(c)" not in caption("x", one_task(table))


def test_tasks_without_near_data_differ_in_more_than_colour(table: pd.DataFrame) -> None:
    row = (table["panel"] == "task") & (table["what"] == "near_test") & (table["task"] == "NA")
    table.loc[row, "value"] = 0
    axes = draw_exploration(table, LOOK).axes[1]
    near, without = axes.lines[:2]
    assert (len(near.get_xdata()), len(without.get_xdata())) == (5, 1)
    assert near.get_marker() != without.get_marker()
    assert without.get_markerfacecolor() == "white"
    assert "tasks without any: 1 of 6." in caption("x", table)


def test_a_test_set_that_is_the_pool(tmp_path: Path, program: Program, write_side: Any) -> None:
    vectors = np.random.default_rng(0).normal(size=(9, 4))
    prompts = [f"{i} words" for i in range(9)]
    sides = [write_side(tmp_path, name, list("abc" * 3), prompts, vectors) for name in SIDES]
    done = explore(program, tmp_path, *sides[0], *sides[1], "--measure", "euclidean")
    assert "9 of 9 test instances" in done.stderr
    table = read_exploration(tmp_path / "x.csv")
    assert leak_warning(table).startswith("Warning: 9 of 9 test instances have the same text")
    assert "3 tasks in both" in caption("x", table)
    assert cumulative_shares(table)["share"].tolist() == [1]
    draw_exploration(table, LOOK)


def test_one_instance_per_side(tmp_path: Path, program: Program, write_side: Any) -> None:
    train = write_side(tmp_path, "train", ["a"], ["one"], [[1, 0]])
    explore(program, tmp_path, *train, *write_side(tmp_path, "test", ["b"], ["two"], [[0, 1]]))
    table = read_exploration(tmp_path / "x.csv")
    assert "near: the pool is too small to say" in caption("x", table)
    assert leak_warning(table) == ""
    draw_exploration(table, LOOK).savefig(io.BytesIO(), format="png")
