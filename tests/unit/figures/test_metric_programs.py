"""The programs behind Figure 6 and the stability of metrics, from tables to CSV."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from runs import save

from nearfirst.common.parquet import write_table
from nearfirst.figures.plot.read import read_distribution
from nearfirst.figures.reward_distribution import answers, distribution
from nearfirst.figures.run_arguments import read_metrics, read_runs
from nearfirst.figures.settings import DistributionSettings
from nearfirst.reward.table import REWARDS
from nearfirst.score.table import SCORES
from nearfirst.tables.metric_stability import stability
from nearfirst.tables.settings import StabilitySettings

Program = Callable[..., subprocess.CompletedProcess[str]]
STEPS = (0, 10, 20, 30)


def tables(folder: Path, seed: int, instances: int = 30) -> dict[str, list[Path]]:
    """Write scores, rewards and losses of a run, each in two segments; one answer has no score."""
    generator = np.random.default_rng(seed)
    rows = [
        {"step": step, "id": f"id-{place}", "task": "t", "label_tokens": 3}
        for step in STEPS
        for place in range(instances)
    ]
    frame = pd.DataFrame(rows)
    right = generator.random(len(frame)) < 0.2 + frame["step"] / 50
    frame["exact_match"] = frame["rouge1"] = frame["rougeL"] = right.astype(float)
    frame["reward"] = right + generator.normal(size=len(frame))
    frame["loss"] = 4 - frame["step"] / 15 + generator.normal(0, 0.1, len(frame))
    found: dict[str, list[Path]] = {"scores": [], "rewards": [], "losses": []}
    for part, some in enumerate((frame[frame["step"] < 20], frame[frame["step"] >= 20])):
        scored = some[some["id"] != "id-0"]
        for stage, its, schema in (("scores", scored, SCORES), ("rewards", some, REWARDS)):
            path = folder / f"{stage}-{seed}-{part}.parquet"
            table = pa.Table.from_pandas(its[schema.names], schema=schema, preserve_index=False)
            write_table(table, path, {"left_out": str(int(stage == "scores"))})
            found[stage].append(path)
        columns = ["step", "id", "task", "loss", "label_tokens"]
        found["losses"].append(save(some[columns], folder / f"losses-{seed}-{part}.parquet"))
    return found


@pytest.fixture
def runs(tmp_path: Path) -> dict[int, dict[str, list[Path]]]:
    return {seed: tables(tmp_path, seed) for seed in (0, 1)}


def flags(runs: dict[int, dict[str, list[Path]]], *stages: str) -> list[object]:
    return [
        word
        for seed, its in runs.items()
        for stage in stages
        for word in (f"--{stage}", "flan", seed, *its[stage])
    ]


def test_reward_distribution(
    program: Program, tmp_path: Path, runs: dict[int, dict[str, list[Path]]]
) -> None:
    given = flags(runs, "scores", "rewards")
    settings = DistributionSettings(resamples=200, bins=10)
    outputs = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for output in outputs:
        done = program("reward_distribution.py", *given, "--settings", settings, "--output", output)
        assert done.returncode == 0, done.stderr
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    assert "232 answers; 1 instances have no score or no reward" in done.stderr
    scores, rewards = (
        read_runs(
            [["flan", str(seed), *map(str, its[stage])] for seed, its in runs.items()], metric
        )
        for stage, metric in (("scores", "exact_match"), ("rewards", "reward"))
    )
    found = read_distribution(outputs[0])
    expected = distribution(*answers(scores, rewards, "all")[:1], settings, 1)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9, check_dtype=False)


def test_scores_and_rewards_of_other_runs(
    program: Program, tmp_path: Path, runs: dict[int, dict[str, list[Path]]]
) -> None:
    given = flags({0: runs[0]}, "scores") + flags(runs, "rewards")
    done = program("reward_distribution.py", *given, "--output", tmp_path / "out.csv")
    assert done.returncode == 1
    assert "error: flan, seed 1: no scores; give" in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_metric_stability(
    program: Program, tmp_path: Path, runs: dict[int, dict[str, list[Path]]]
) -> None:
    metrics = {"loss": "losses", "exact_match": "scores", "reward": "rewards"}
    given = [
        [metric, "flan", str(seed), *map(str, its[stage])]
        for metric, stage in metrics.items()
        for seed, its in runs.items()
    ]
    words = [word for run in given for word in ("--run", *run)]
    settings = StabilitySettings(end_checkpoints=2)
    output = tmp_path / "stability.csv"
    done = program("metric_stability.py", *words, "--settings", settings, "--output", output)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(output, dtype={"seed": str})
    assert found["metric"].tolist() == [name for name in metrics for _ in range(3)]
    assert found["seed"].tolist() == ["0", "1", "all"] * 3
    assert found.groupby("metric")["instances"].first().to_dict() == {
        "exact_match": 29,
        "loss": 30,
        "reward": 30,
    }
    # In steps of 10 the loss falls by 0.67 each, in a straight line.
    loss = found[found["metric"] == "loss"].iloc[2]
    assert loss["change"] == pytest.approx(-25 / 15, abs=0.1)
    assert loss["relative_noise"] < 0.05
    assert loss["change_seen"]
    expected = stability(read_metrics(given), settings)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-4, check_dtype=False)


def test_too_few_checkpoints(
    program: Program, tmp_path: Path, runs: dict[int, dict[str, list[Path]]]
) -> None:
    words = ["--run", "reward", "flan", "0", runs[0]["rewards"][0]]
    done = program("metric_stability.py", *words, "--output", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    assert "reward of flan, seed 0: 2 checkpoints are too few (4) for its noise" in done.stderr
    assert pd.read_csv(tmp_path / "out.csv")["noise"].isna().all()
