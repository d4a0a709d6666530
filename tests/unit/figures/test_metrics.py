"""The registry of metrics, and any metric on its way from tables of instances to curves."""

import math
from pathlib import Path

import pyarrow as pa
import pytest
from runs import run, save_table

from nearfirst.common.errors import InputError
from nearfirst.common.source_files import library_modules
from nearfirst.figures.curves import curves
from nearfirst.figures.look import LookSettings
from nearfirst.figures.read import read_runs
from nearfirst.figures.run import scaled
from nearfirst.figures.settings import CurveSettings
from nearfirst.metrics import METRICS, SCORE_NAMES
from nearfirst.reward.table import REWARDS
from nearfirst.score.table import SCORES
from nearfirst.tables.metric_tasks import metric_tasks

ROOT = Path(__file__).parents[3] / "workflow"


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_name_in_figures(name: str) -> None:
    assert name in LookSettings().quantities


@pytest.mark.parametrize("program", ["train.py", "evaluate.py", "generate.py", "reward.py"])
def test_a_new_metric_reruns_no_model(program: str) -> None:
    read = library_modules(ROOT / "scripts" / program, ROOT)
    names = {path.relative_to(ROOT / "nearfirst").as_posix() for path in read}
    assert "common/parquet.py" in names
    assert "metrics.py" not in names
    assert not [name for name in names if name.startswith("score/")]


def test_each_metric_is_read_from_the_tables_that_have_it(tmp_path: Path) -> None:
    names = zip("abc", ("one", "two", "two"), (0, 0.5, 1), (-1.0, math.nan, 4.0), strict=True)
    rows = [
        {**dict.fromkeys(SCORE_NAMES, score), "step": 0, "id": name, "task": task, "reward": reward}
        for name, task, score, reward in names
    ]
    paths = [
        save_table(pa.Table.from_pylist(rows, schema), tmp_path / f"{i}.parquet", left_out=2)
        for i, schema in enumerate((SCORES, REWARDS))
    ]
    (run,) = read_runs(paths, "rougeL").values()
    assert run.values.to_numpy().tolist() == [[0, 0.5, 1]]
    assert set(run.label_tokens) == {1}, "only a loss has label tokens"
    assert run.left_out == 2
    with pytest.raises(InputError, match="none of the tables has a column 'reward'"):
        read_runs(paths[:1], "reward")
    with pytest.raises(InputError, match=r"1\.parquet: the reward of instance 'b' at step 0"):
        read_runs(paths, "reward")


def test_curves_of_scores_are_from_0_to_100() -> None:
    seeds = run({0: (0, 0), 10: (0.3, 0.5)}), run({0: (0, 0.3), 10: (1, 1)})
    runs = scaled({("rouge1", seed): one for seed, one in enumerate(seeds)}, "rouge1")
    table = curves(runs, CurveSettings(), "metric", "rouge1").set_index("step")
    # The mean of 40 and 100, whose Student's interval would reach far beyond both ends.
    assert table.loc[10, "mean"] == pytest.approx(70)
    assert tuple(table.loc[10, ["low", "high"]]) == (0, 100)
    assert set(table["quantity"]) == {"score"}


def test_means_of_tasks_by_hand() -> None:
    runs = {
        ("NIV2", seed): run({0: (0, 0, 0), 10: (1, value, 0.5)}, ("one", "two", "two"))
        for seed, value in enumerate((0.3, 0.5))
    }
    half = metric_tasks({"rouge1": runs}, "instance", 0.5).set_index(["task", "step"])
    table = metric_tasks({"rouge1": runs}, "instance", 0.95).set_index(["task", "step"])
    assert table.loc[("one", 10), "mean"] == 100
    # (30 + 50) / 2 and (50 + 50) / 2 over the seeds.
    assert table.loc[("two", 10), "mean"] == pytest.approx(45)
    assert table.loc[("two", 10), "instances"] == 2
    assert set(table["n"]) == {2}
    # Student's quantile of one degree of freedom is 1 at this level, and 12.7 at the other.
    bounds = ["low", "high"]
    assert half.loc[("two", 10), bounds].tolist() == pytest.approx([40, 50])
    assert table.loc[("two", 10), bounds].tolist() == [0, 100]
    loss = {("NIV2", 0): run({0: (1, 5, 2)}, "utu", (1, 7, 3))}
    assert metric_tasks({"loss": loss}, "token", 0.95)["mean"].tolist() == [5, 1.75]
