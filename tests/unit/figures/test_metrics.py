"""The registry of metrics, and any metric on its way from tables of instances to curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pytest

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import read_table, write_table
from nearfirst.common.source_files import library_modules
from nearfirst.figures.curves import curves
from nearfirst.figures.look import LookSettings
from nearfirst.figures.run import Run, scaled
from nearfirst.figures.run_arguments import SCHEMAS, read_metrics, read_run
from nearfirst.metrics import METRICS, SCORE_NAMES, MetricName
from nearfirst.reward.table import REWARDS
from nearfirst.score.table import SCORES
from nearfirst.tables.generalization import generalization
from nearfirst.tables.metric_tasks import metric_tasks
from nearfirst.tables.settings import GeneralizationSettings

ROOT = Path(__file__).parents[3] / "workflow"

Values = Mapping[int, Sequence[float]]


def scores(path: Path, rouge: Values, left_out: int = 0) -> Path:
    """Write scores of instances a (task one), b and c (task two): ROUGE-L is half of ROUGE-1."""
    rows = [
        {
            **dict.fromkeys(SCORE_NAMES, 0.0),
            **{"step": step, "id": name, "task": task},
            **{"rouge1": value, "rougeL": value / 2, "exact_match": float(value == 1)},
        }
        for step, values in rouge.items()
        for name, task, value in zip("abc", ("one", "two", "two"), values, strict=True)
    ]
    write_table(pa.Table.from_pylist(rows, SCORES), path, {"left_out": str(left_out)})
    return path


def rewards(path: Path, values: Values) -> Path:
    rows = [
        {"step": step, "id": name, "task": "one", "reward": value}
        for step, its in values.items()
        for name, value in zip("abc", its, strict=True)
    ]
    write_table(pa.Table.from_pylist(rows, REWARDS), path)
    return path


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_known_wherever_it_is_named(name: str) -> None:
    metric = METRICS[name]
    assert SCHEMAS[metric.stage].field(name).type == pa.float32()
    assert name in get_args(MetricName)
    assert name in LookSettings().quantities
    settings = GeneralizationSettings(
        performance="exp-loss" if name == "loss" else name, threshold=0.5
    )
    assert settings.metric == name


@pytest.mark.parametrize("program", ["train.py", "evaluate.py", "generate.py", "reward.py"])
def test_a_new_metric_reruns_no_model(program: str) -> None:
    read = library_modules(ROOT / "scripts" / program, ROOT)
    names = {path.relative_to(ROOT / "nearfirst").as_posix() for path in read}
    assert "common/parquet.py" in names
    assert "metrics.py" not in names
    assert not [name for name in names if name.startswith("score/")]


def test_a_score_has_no_label_tokens(tmp_path: Path) -> None:
    path = scores(tmp_path / "s.parquet", {0: (0, 0.5, 1), 10: (0.25, 0.5, 1)}, left_out=2)
    found = read_run([path], "rougeL")
    assert found.values.to_numpy().tolist() == [[0, 0.25, 0.5], [0.125, 0.25, 0.5]]
    assert set(found.label_tokens) == {1}
    assert found.left_out == 2
    with pytest.raises(InputError, match="column 'reward' is missing"):
        read_run([path], "reward")


def test_impossible_values_name_the_metric(tmp_path: Path) -> None:
    path = rewards(tmp_path / "r.parquet", {0: (0, float("nan"), 1)})
    with pytest.raises(InputError, match=r"r\.parquet: the reward of id 'b' at step 0 is nan"):
        read_run([path], "reward")
    # Means are shown times 100; a table of such values would be multiplied twice.
    path = scores(tmp_path / "s.parquet", {0: (0, 0.5, 1), 10: (0, 0, 40)})
    with pytest.raises(InputError, match=r"s\.parquet: the rouge1 of id 'c' at step 10 is .*0 to"):
        read_run([path], "rouge1")
    assert read_run([rewards(tmp_path / "r.parquet", {0: (-40, 0, 40)})], "reward").values.size == 3


def test_a_row_without_a_step_is_refused(tmp_path: Path) -> None:
    path = rewards(tmp_path / "r.parquet", {0: (0, 1, 2)})
    steps = pa.array([0, None, 0], pa.int32())
    write_table(read_table(path, REWARDS).set_column(0, REWARDS.field("step"), steps), path)
    with pytest.raises(InputError, match=r"r\.parquet: a row of id 'b' has no step"):
        read_run([path], "reward")


def test_several_metrics_of_one_run(tmp_path: Path) -> None:
    path = str(scores(tmp_path / "s.parquet", {0: (0, 0.5, 1)}))
    judged = str(rewards(tmp_path / "r.parquet", {0: (-1, 0, 4)}))
    found = read_metrics([["exact_match", "NIV2", "0", path], ["reward", "NIV2", "0", judged]])
    assert list(found) == ["exact_match", "reward"]
    assert found["exact_match"]["NIV2", 0].values.to_numpy().tolist() == [[0, 0, 1]]
    assert found["reward"]["NIV2", 0].values.to_numpy().tolist() == [[-1, 0, 4]]
    with pytest.raises(InputError, match="--run bleu: no metric; they are loss, "):
        read_metrics([["bleu", "NIV2", "0", path]])


def test_curves_of_scores_are_from_0_to_100(tmp_path: Path) -> None:
    paths = [
        scores(tmp_path / "0.parquet", {0: (0, 0, 0), 10: (0.1, 0.2, 0.9)}),
        scores(tmp_path / "1.parquet", {0: (0, 0, 0.3), 10: (1, 1, 1)}),
    ]
    runs: dict[tuple[str, int], Run] = {}
    for metric in ("rouge1", "exact_match"):
        of_metric = {(metric, seed): read_run([path], metric) for seed, path in enumerate(paths)}
        runs |= scaled(of_metric, metric)
    table = curves(runs, "instance", 0.95, "metric", "rouge1").set_index(["metric", "step"])
    # The mean of 40 and 100, and of 0 and 100.
    assert table.loc[("rouge1", 10), "mean"] == pytest.approx(70, abs=1e-4)
    assert table.loc[("exact_match", 10), "mean"] == pytest.approx(50)
    # Student's interval of 40 and 100 would reach far beyond both ends.
    assert tuple(table.loc[("rouge1", 10), ["low", "high"]]) == (0, 100)
    assert set(table["quantity"]) == {"score"}
    assert set(table["n"]) == {2}


def test_means_of_tasks_by_hand(tmp_path: Path) -> None:
    runs = {
        ("NIV2", seed): read_run(
            [scores(tmp_path / f"{seed}.parquet", {0: (0, 0, 0), 10: (1, value, 0.5)})], "rouge1"
        )
        for seed, value in enumerate((0.3, 0.5))
    }
    table = metric_tasks({"rouge1": runs}, "instance", 0.95).set_index(["task", "step"])
    assert table.loc[("one", 10), "mean"] == 100
    # (30 + 50) / 2 and (50 + 50) / 2 over the seeds.
    assert table.loc[("two", 10), "mean"] == pytest.approx(45, abs=1e-4)
    assert table.loc[("two", 10), "instances"] == 2
    assert set(table["n"]) == {2}


@pytest.mark.parametrize(
    ("performance", "threshold", "step"), [("rouge1", 0.4, 10), ("exact_match", 0.4, 20)]
)
def test_generalization_by_a_score(
    tmp_path: Path, performance: str, threshold: float, step: int
) -> None:
    path = scores(tmp_path / "s.parquet", {0: (0, 0, 0), 10: (0.5, 0.5, 0.5), 20: (1, 1, 1)})
    settings = GeneralizationSettings(performance=performance, threshold=threshold)
    run = read_run([path], settings.metric)
    table = generalization({"fig": {("RT", 0): run}}, settings)
    assert table["step"].tolist() == [step, step]
    assert set(table["performance"]) == {performance}


def test_thresholds_fit_the_performance(tmp_path: Path) -> None:
    settings = GeneralizationSettings(performance="reward", threshold=-2.5)
    run = read_run([rewards(tmp_path / "r.parquet", {0: (-3, -3, -3), 10: (-2, -2, -2)})], "reward")
    assert generalization({"fig": {("RT", 0): run}}, settings)["step"].tolist() == [10, 10]
    for performance in ("exp-loss", "rouge1"):
        with pytest.raises(ValueError, match=r"threshold: -2\.5 can never .* is from 0 to 1"):
            GeneralizationSettings(performance=performance, threshold=-2.5)
