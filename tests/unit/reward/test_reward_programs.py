"""The reward programs: preference pairs, a model trained on them, rewards of answers."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import contents
from programs import Program, Running, command
from runs import IDENTITY

from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import write_table
from nearfirst.generate.table import ANSWERS
from nearfirst.reward.exchanges import encode
from nearfirst.reward.model import load_reward_model
from nearfirst.reward.score import rewards
from nearfirst.reward.settings import RewardTextSettings, RewardTrainingSettings
from nearfirst.reward.table import PREFERENCES, REWARDS
from nearfirst.reward.train import train

TRAIN = ("--settings", '{"epochs":2,"batch_size":4}', "--text", '{"max_length":64}')


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
    program: Program,
    some_talks: Any,
    write_instances: Any,
    model_folder: Path,
) -> Path:
    """A folder with instances of two data sets, their pairs, and a reward model."""
    folder = tmp_path_factory.mktemp("reward")
    datasets: list[object] = []
    for seed, name in enumerate(("niv2", "flan")):
        write_instances(folder / f"{name}.parquet", some_talks(24, seed))
        datasets += ["--dataset", name, folder / f"{name}.parquet"]
    pairs = folder / "pairs.parquet"
    limit = ("--settings", '{"max_per_dataset":20}')
    done = program("preferences.py", *datasets, "--output", pairs, *limit)
    assert done.returncode == 0, done.stderr
    # In another process than the test.
    job = Running(
        command(
            *("train_reward.py", "--pairs", pairs, "--model", model_folder, *TRAIN),
            *("--output", folder / "out/model", "--accuracy", folder / "out/accuracy.csv"),
        )
    )
    assert job.wait() == 0, job.printed.read_text()
    return folder


def test_training_again_gives_the_same_bytes(
    trained: Path, tmp_path: Path, model_folder: Path
) -> None:
    assert pq.read_schema(trained / "pairs.parquet") == PREFERENCES
    pairs = pq.read_table(trained / "pairs.parquet").to_pandas()
    assert pairs.groupby("dataset").size().to_dict() == {"flan": 20, "niv2": 20}
    assert sorted(path.name for path in (trained / "out").iterdir()) == ["accuracy.csv", "model"]
    settings, text = RewardTrainingSettings.parse(TRAIN[1]), RewardTextSettings.parse(TRAIN[3])
    accuracy = train(pairs, str(model_folder), settings, text, tmp_path)
    written = (trained / "out/accuracy.csv").read_text()
    assert accuracy.to_csv(index=False, float_format="%.6f") == written
    assert contents(tmp_path) == contents(trained / "out/model")


def test_every_answer_gets_its_reward(
    trained: Path, tmp_path: Path, program: Program, some_talks: Any
) -> None:
    texts = ["a cat", "", "кошка 猫 {answer}</s>", "green apples " * 30]
    rows = [(step, i, texts[i - step // 10]) for step in (0, 10) for i in (2, 0, 3, 1)]
    steps, numbers, predictions = zip(*rows, strict=True)
    ids, tasks = [f"id-{i}" for i in numbers], [f"task-{i % 3}" for i in numbers]
    answers = pa.table([steps, ids, tasks, predictions], schema=ANSWERS)
    output, model = tmp_path / "rewards.parquet", trained / "out/model"
    write_table(answers, tmp_path / "answers.parquet", {"left_out": "3", **IDENTITY})
    done = program(
        *("reward.py", "--generations", tmp_path / "answers.parquet"),
        *("--instances", trained / "flan.parquet", "--reward-model", model),
        *("--settings", '{"batch_tokens":60}', "--text", '{"max_length":40}', "--output", output),
    )
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert table.schema.remove_metadata() == REWARDS
    assert table.schema.metadata[b"left_out"] == b"3"
    assert read_identity(output) == IDENTITY
    assert table.select(["step", "id", "task"]).equals(answers.select(["step", "id", "task"]))
    assert "8 answers, 4 cut at the start to 40 tokens" in done.stderr
    for step, mean in table.to_pandas().groupby("step")["reward"].mean().items():
        assert f"step {step}: mean reward {mean:.4f}" in done.stderr
    questions = [talk[0]["content"] for talk in some_talks(24, 1)]
    exchanges = [(questions[i], answer) for _, i, answer in rows]
    loaded = load_reward_model(str(model))
    expected = rewards(loaded[0], encode(exchanges, RewardTextSettings(max_length=40), *loaded), 1)
    assert table["reward"].to_pylist() == pytest.approx(expected, abs=1e-4)


def test_each_data_set_is_given_once(tmp_path: Path, program: Program) -> None:
    twice = ("--dataset", "flan", "a.parquet", "--dataset", "flan", "b.parquet")
    done = program("preferences.py", *twice, "--output", tmp_path / "pairs.parquet")
    assert done.stderr.startswith("error: --dataset: flan, flan: ")


def test_a_failed_training_leaves_nothing(
    tmp_path: Path, program: Program, model_folder: Path
) -> None:
    pair = {name: ["a"] for name in PREFERENCES.names if name != "held_out"}
    table = pa.table({**pair, "held_out": [False]}, schema=PREFERENCES)
    write_table(table, tmp_path / "pairs.parquet")
    output = tmp_path / "out"
    done = program(
        *("train_reward.py", "--pairs", tmp_path / "pairs.parquet", "--model", model_folder),
        *("--output", output / "model", "--accuracy", output / "accuracy.csv"),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: no pair is held out")
    assert list(output.iterdir()) == []
