"""The programs of tables: tables with metadata in, the CSV of the library out."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from programs import Program
from runs import assert_equal, figure, noisy, save_table, write_runs

from nearfirst.common.parquet import SOURCES
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.settings import ComparisonSettings
from nearfirst.tables.generalization import generalization
from nearfirst.tables.metric_stability import stability
from nearfirst.tables.metric_tasks import metric_tasks
from nearfirst.tables.settings import GeneralizationSettings, StabilitySettings


def split(path: Path, dataset: str, name: str, **sources: str) -> Path:
    """Write a split of tasks and their sources, with three instances of each task."""
    rows = [
        {"id": f"{task}{number}", "task": task, "source": source, "messages": [], "references": []}
        for task, source in sources.items()
        for number in range(3)
    ]
    return save_table(pa.Table.from_pylist(rows, SOURCES), path, dataset=dataset, test=name)


def test_table4_and_leakage(program: Program, tmp_path: Path) -> None:
    train = {"quoref_a": "quoref", "quoref_b": "quoref", "glue_x": "glue"}
    splits = [
        split(tmp_path / "1.parquet", "flan", "train", **train),
        split(tmp_path / "2.parquet", "flan", "specialist-0", quoref_c="quoref", sciq_d="sciq"),
        split(tmp_path / "3.parquet", "chat", "train", talk="talk"),
        split(tmp_path / "4.parquet", "chat", "heldout", talk="talk"),
    ]
    expected = (
        '{"expected": {"flan": {"train": {"tasks": 4, "instances": 9}, '
        '"specialist-0": {"instances": 6}}}}'
    )
    output = ("--output", tmp_path / "out.csv")
    done = program("table4.py", *splits, "--settings", expected, *output)
    assert "flan train: 3 tasks and 9 instances, expected 4 and 9" in done.stderr
    table = pd.read_csv(output[1], keep_default_na=False)
    assert table[["tasks", "instances", "matches"]].to_numpy().tolist() == [
        *([3, 9, "no"], [2, 6, "yes"], [1, 3, ""], [1, 3, ""])
    ]
    done = program("leakage.py", *reversed(splits), *output)
    assert "1 of 2 unseen tasks share a source" in done.stderr
    # Held-out conversations have no unseen task.
    table = pd.read_csv(output[1], keep_default_na=False).drop(columns=["split", "instances"])
    assert table.to_numpy().tolist() == [
        ["flan", "quoref_c", "quoref", 2, "quoref_a;quoref_b"],
        ["flan", "sciq_d", "sciq", 0, ""],
    ]


def test_generalization(csv: Any, tmp_path: Path) -> None:
    runs = noisy({"NFT": -2.5, "RT": -2.0}, seeds=2)
    paths = write_runs(runs, tmp_path)
    fig4 = figure("arrangements", "NFT", "RT", reference="RT")
    fig3 = figure("arrangements", "RT", reference="RT")
    figures = f'{{"fig4": {fig4}, "fig3": {fig3}}}'
    table = csv("generalization.py", *paths, "--figures", figures)
    random = {key: run for key, run in runs.items() if key[0] == "RT"}
    expected = generalization({"fig4": runs, "fig3": random}, GeneralizationSettings())
    assert_equal(table, expected)


def test_tables_of_metrics(csv: Any, tmp_path: Path) -> None:
    steps = (0, 10, 20, 30)
    runs = noisy({"flan": 0.0}, 2, steps=steps)
    paths = write_runs(runs, tmp_path, by="dataset", test="generalist-0")
    rows = ("--runs", '{"datasets": {"Flan": "flan"}, "metrics": ["loss"]}')
    metrics = {"loss": {("Flan", seed): run for (_, seed), run in runs.items()}}
    table = csv("metric_stability.py", *paths, *rows, "--settings", '{"end_checkpoints": 2}')
    assert_equal(table, stability(metrics, StabilitySettings(end_checkpoints=2)))
    table = csv("metric_tasks.py", *paths, *rows)
    assert_equal(table, metric_tasks(metrics, "instance", 0.95))


def test_comparisons(csv: Any, tmp_path: Path) -> None:
    # Labels that pandas would take for missing values.
    other = noisy({"NA": -0.4, "none": 0.0}, seeds=1, steps=(0, 10, 20, 30))
    settings = ComparisonSettings(resamples=200)
    figures = {
        "fig4": paired_comparison(noisy({"NFT": -0.5, "RT": 0.0}, 3), "NFT", settings),
        # A p-value that would exceed one if it were doubled.
        "own": paired_comparison(other, "NA", settings, "reward").assign(p_value=0.7),
    }
    paths = [tmp_path / f"{name}_paired.csv" for name in figures]
    for path, table in zip(paths, figures.values(), strict=True):
        table.to_csv(path, index=False, float_format="%.6g")
    table = csv("comparisons.py", *paths)
    assert_equal(
        table.drop(columns=["figure", "p_overall"]), pd.concat(figures.values(), ignore_index=True)
    )
    assert table["figure"].tolist() == ["fig4"] * 4 + ["own"] * 5
    # The runs of both figures are one family.
    overall = (2 * table["p_value"]).clip(upper=1).where(table["question"] == "run")
    assert table["p_overall"].tolist() == pytest.approx(overall.tolist(), rel=1e-4, nan_ok=True)
