"""The programs of tables: tables that say what they are of in, the CSV of the library out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from programs import Program
from runs import figure, noisy, save_table, write_runs

from nearfirst.common.parquet import SOURCES
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.settings import ComparisonSettings
from nearfirst.tables.generalization import generalization
from nearfirst.tables.metric_stability import stability
from nearfirst.tables.metric_tasks import metric_tasks
from nearfirst.tables.settings import GeneralizationSettings, StabilitySettings


@pytest.fixture
def made(program: Program, tmp_path: Path) -> Callable[..., tuple[pd.DataFrame, str]]:
    """Run a program; return the CSV that it wrote, and its log."""

    def made(name: str, *arguments: object) -> tuple[pd.DataFrame, str]:
        done = program(name, *arguments, "--output", tmp_path / "out.csv")
        assert done.returncode == 0, done.stderr
        text = {"seed": str}
        found = pd.read_csv(tmp_path / "out.csv", dtype=text, keep_default_na=False, na_values="")
        return found, done.stderr

    return made


def assert_equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    found = found.astype(expected.dtypes)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-4, atol=1e-6, check_dtype=False)


def split(folder: Path, name: str, **sources: str) -> Path:
    """Write a split of tasks and their sources, three instances of each task."""
    rows = [
        {"id": f"{task}{number}", "task": task, "source": source, "messages": [], "references": []}
        for task, source in sources.items()
        for number in range(3)
    ]
    table = pa.Table.from_pylist(rows, SOURCES)
    return save_table(table, folder / f"{name}.parquet", dataset="flan", test=name)


def test_table4_and_leakage(made: Any, program: Program, tmp_path: Path) -> None:
    train = split(tmp_path, "train", quoref_a="quoref", quoref_b="quoref", glue_x="glue")
    test = split(tmp_path, "specialist-0", quoref_c="quoref", sciq_d="sciq")
    wanted = '{"expected": {"flan": {"train": {"tasks": 4, "instances": 9}}}}'
    found, log = made("table4.py", train, test, "--settings", wanted)
    assert found["matches"].tolist()[0] == "no"
    assert "flan train: 3 tasks and 9 instances, expected 4 and 9" in log
    found, log = made("leakage.py", test, train)
    assert "1 of 2 unseen tasks share a source" in log
    assert found["training_tasks"].tolist() == [2, 0]
    old = tmp_path / "old.parquet"
    pq.write_table(pq.read_table(train).replace_schema_metadata(None), old)
    done = program("leakage.py", old, "--output", tmp_path / "none.csv")
    assert (done.returncode, (tmp_path / "none.csv").exists()) == (1, False)
    assert "old.parquet: the table does not say its dataset and split" in done.stderr


def test_generalization(made: Any, tmp_path: Path) -> None:
    runs = noisy({"NFT": -2.5, "RT": -2.0}, seeds=2)
    paths = write_runs(runs, tmp_path)
    both = {"fig4": ("NFT", "RT"), "fig3": ("RT",)}
    rows = ", ".join(
        f'"{name}": {figure("arrangements", *labels, reference="RT")}'
        for name, labels in both.items()
    )
    found, _ = made("generalization.py", *paths, "--figures", f"{{{rows}}}")
    of_rt = {key: run for key, run in runs.items() if key[0] == "RT"}
    expected = generalization({"fig4": runs, "fig3": of_rt}, GeneralizationSettings())
    assert_equal(found, expected)


def test_tables_of_metrics(made: Any, tmp_path: Path) -> None:
    steps = (0, 10, 20, 30)
    runs = {("flan", seed): one for (_, seed), one in noisy({"x": 0.0}, 2, steps=steps).items()}
    paths = write_runs(runs, tmp_path, by="dataset", test="generalist-0")
    named = ("--runs", '{"datasets": {"Flan": "flan"}, "metrics": ["loss"]}')
    expected = {"loss": {("Flan", seed): one for (_, seed), one in runs.items()}}
    found, _ = made("metric_stability.py", *paths, *named, "--settings", '{"end_checkpoints": 2}')
    assert_equal(found, stability(expected, StabilitySettings(end_checkpoints=2)))
    found, _ = made("metric_tasks.py", *paths, *named)
    assert_equal(found, metric_tasks(expected, "instance", 0.95))


def test_comparisons(made: Any, tmp_path: Path) -> None:
    # Labels that pandas would take for missing values.
    other = noisy({"NA": -0.4, "none": 0.0}, seeds=1, steps=(0, 10, 20, 30))
    settings = ComparisonSettings(resamples=200)
    figures = {
        "fig4": paired_comparison(noisy({"NFT": -0.5, "RT": 0.0}, 3), "NFT", settings),
        "own": paired_comparison(other, "NA", settings, "reward"),
    }
    for name, table in figures.items():
        table.to_csv(tmp_path / f"{name}_paired.csv", index=False, float_format="%.6g")
    found, _ = made("comparisons.py", *(tmp_path / f"{name}_paired.csv" for name in figures))
    kept = found.drop(columns=["figure", "p_overall"])
    assert_equal(kept, pd.concat(figures.values(), ignore_index=True))
    assert found["figure"].tolist() == ["fig4"] * 4 + ["own"] * 5
    # One family over the runs of both figures.
    primary = found["question"] == "run"
    expected = (2 * found.loc[primary, "p_value"]).clip(upper=1)
    assert found.loc[primary, "p_overall"].tolist() == pytest.approx(expected.tolist(), rel=1e-4)
    assert found.loc[~primary, "p_overall"].isna().all()
