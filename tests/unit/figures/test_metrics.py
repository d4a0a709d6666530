"""Any metric on the way from tables of instances to curves, comparisons and tables by task."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

import pandas as pd
import pyarrow as pa
import pytest

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import write_table
from nearfirst.common.source_files import library_modules
from nearfirst.figures.look import LookSettings
from nearfirst.figures.read import read_run
from nearfirst.figures.run_arguments import read_metrics
from nearfirst.metrics import METRICS, MetricName
from nearfirst.reward.table import REWARDS
from nearfirst.score.scorer import Scores
from nearfirst.score.table import SCORES
from nearfirst.tables.generalization import generalization
from nearfirst.tables.metric_tasks import metric_tasks
from nearfirst.tables.settings import GeneralizationSettings

ROOT = Path(__file__).parents[3] / "workflow"

Program = Callable[..., subprocess.CompletedProcess[str]]
Values = Mapping[int, Sequence[float]]


def scores(path: Path, rouge: Values, left_out: int = 0) -> Path:
    """Write scores of instances a (task one), b and c (task two): ROUGE-L is half of ROUGE-1."""
    rows = [
        (step, name, task, value, value / 2, float(value == 1))
        for step, values in rouge.items()
        for name, task, value in zip("abc", ("one", "two", "two"), values, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=SCORES.names)
    table = pa.Table.from_pandas(frame, schema=SCORES, preserve_index=False)
    write_table(table, path, {"left_out": str(left_out)})
    return path


def rewards(path: Path, values: Values) -> Path:
    rows = [
        (step, name, "one", value)
        for step, its in values.items()
        for name, value in zip("abc", its, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=REWARDS.names)
    write_table(pa.Table.from_pandas(frame, schema=REWARDS, preserve_index=False), path)
    return path


def test_a_metric_has_the_same_name_wherever_it_is_named() -> None:
    scores = [name for name, metric in METRICS.items() if metric.stage == "scores"]
    assert list(METRICS) == list(get_args(MetricName))
    assert scores == SCORES.names[3:]
    assert len(scores) == len(Scores._fields)
    performance = GeneralizationSettings.model_fields["performance"].annotation
    assert list(get_args(performance)) == ["exp-loss", *list(METRICS)[1:]]
    assert METRICS.keys() <= LookSettings().quantities.keys()


@pytest.mark.parametrize("program", ["train.py", "evaluate.py", "generate.py"])
def test_a_new_metric_trains_and_answers_nothing_anew(program: str) -> None:
    read = library_modules(ROOT / "scripts" / program, ROOT)
    names = [path.relative_to(ROOT / "nearfirst").as_posix() for path in read]
    assert "common/parquet.py" in names
    assert not [name for name in names if name.startswith(("score/", "reward/"))]
    assert "metrics.py" not in names


def test_a_score_has_no_label_tokens(tmp_path: Path) -> None:
    path = scores(tmp_path / "s.parquet", {0: (0, 0.5, 1), 10: (0.25, 0.5, 1)}, left_out=2)
    found = read_run([path], "rougeL")
    assert found.values.to_numpy().tolist() == [[0, 0.25, 0.5], [0.125, 0.25, 0.5]]
    assert set(found.label_tokens) == {1}
    assert found.left_out == 2
    with pytest.raises(InputError, match="column 'reward' is missing"):
        read_run([path], "reward")


def test_several_metrics_of_one_run(tmp_path: Path) -> None:
    path = str(scores(tmp_path / "s.parquet", {0: (0, 0.5, 1)}))
    judged = str(rewards(tmp_path / "r.parquet", {0: (-1, 0, 4)}))
    found = read_metrics(
        [["exact_match", "NIV2", "0", path], ["reward", "NIV2", "0", judged]],
    )
    assert list(found) == ["exact_match", "reward"]
    assert found["exact_match"]["NIV2", 0].values.to_numpy().tolist() == [[0, 0, 1]]
    assert found["reward"]["NIV2", 0].values.to_numpy().tolist() == [[-1, 0, 4]]
    with pytest.raises(InputError, match="--run bleu: no metric; they are loss, rouge1"):
        read_metrics([["bleu", "NIV2", "0", path]])


def test_curves_by_metric(program: Program, tmp_path: Path) -> None:
    runs = [
        scores(tmp_path / "0.parquet", {0: (0, 0, 0), 10: (0.1, 0.2, 0.9)}),
        scores(tmp_path / "1.parquet", {0: (0, 0, 0.3), 10: (1, 1, 1)}),
    ]
    flags: list[object] = []
    for seed, path in enumerate(runs):
        flags += ["--run", "NIV2", seed, path]
    output = tmp_path / "out.csv"
    metrics = ("--metric", "rouge1", "exact_match", "--output", output)
    done = program("curves.py", *flags, "--by", "metric", *metrics)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(output).set_index(["metric", "step"])
    # From 0 to 100: the mean of 40 and 100, and of 0 and 100.
    assert table.loc[("rouge1", 10), "mean"] == pytest.approx(70, abs=1e-4)
    assert table.loc[("exact_match", 10), "mean"] == pytest.approx(50)
    # Student's interval of 40 and 100 would reach far beyond both ends.
    assert tuple(table.loc[("rouge1", 10), ["low", "high"]]) == (0, 100)
    assert set(table["quantity"]) == {"score"}
    assert set(table["n"]) == {2}
    done = program("curves.py", *flags, "--metric", "rougeL", "--output", output)
    assert done.returncode == 0, done.stderr
    # One score for all curves: the axis and the caption name it.
    assert set(pd.read_csv(output)["quantity"]) == {"rougeL"}
    done = program("curves.py", *flags, *metrics)
    assert "error: --metric rouge1 exact_match: several need --by metric" in done.stderr
    done = program("curves.py", *flags, "--run", "P3", 0, runs[0], "--by", "metric", *metrics)
    assert "error: --run P3: --by metric takes one label, NIV2" in done.stderr


def test_a_comparison_of_scores_is_in_their_units(program: Program, tmp_path: Path) -> None:
    better = scores(tmp_path / "a.parquet", {0: (0, 0, 0), 10: (0.5, 0.5, 0.5)})
    worse = scores(tmp_path / "b.parquet", {0: (0, 0, 0), 10: (0.25, 0.25, 0.25)})
    runs = ("--run", "NFT", 0, better, "--run", "RT", 0, worse, "--metric", "rouge1")
    output = tmp_path / "out.csv"
    done = program("compare.py", *runs, "--reference", "NFT", "--output", output)
    assert done.returncode == 0, done.stderr
    assert set(pd.read_csv(output)["difference"]) == {25.0}


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
    settings = GeneralizationSettings.model_validate(
        {"performance": performance, "threshold": threshold}
    )
    run = read_run([path], settings.metric)
    table = generalization({"fig": {("RT", 0): run}}, settings)
    assert table["step"].tolist() == [step, step]
    assert set(table["performance"]) == {performance}


def test_a_reward_may_have_any_threshold(tmp_path: Path) -> None:
    settings = GeneralizationSettings(performance="reward", threshold=-2.5)
    run = read_run([rewards(tmp_path / "r.parquet", {0: (-3, -3, -3), 10: (-2, -2, -2)})], "reward")
    assert generalization({"fig": {("RT", 0): run}}, settings)["step"].tolist() == [10, 10]
    with pytest.raises(ValueError, match=r"threshold: -2\.5 tells no runs apart"):
        GeneralizationSettings(performance="rouge1", threshold=-2.5)
