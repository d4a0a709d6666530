"""The reward programs: preference pairs, a model trained on them, rewards of answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import contents
from programs import Program, Running, command
from runs import IDENTITY

from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import write_table
from nearfirst.generate.table import ANSWERS
from nearfirst.reward.exchanges import encode
from nearfirst.reward.model import load_reward_model
from nearfirst.reward.score import rewards, score_answers
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
    program("preferences.py", *datasets, "--output", pairs, *limit, check=True)
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


@pytest.fixture(scope="module")
def answers() -> pa.Table:
    """Answers of four instances at two steps."""
    texts = ["a cat", "", "кошка 猫 {answer}</s>", "green apples " * 30]
    rows = [(step, i, texts[i - step // 10]) for step in (0, 10) for i in (2, 0, 3, 1)]
    steps, numbers, predictions = zip(*rows, strict=True)
    ids, tasks = [f"id-{i}" for i in numbers], [f"task-{i % 3}" for i in numbers]
    return pa.table([steps, ids, tasks, predictions], schema=ANSWERS)


@pytest.fixture
def score(trained: Path, tmp_path: Path, program: Program) -> Callable[..., Any]:
    """Write answers and run `reward.py` on them; its output is `rewards.parquet`."""

    def run(answers: pa.Table, max_length: int = 40) -> Any:
        write_table(answers, tmp_path / "answers.parquet", {"left_out": "3", **IDENTITY})
        return program(
            *("reward.py", "--generations", tmp_path / "answers.parquet"),
            *("--instances", trained / "flan.parquet", "--reward-model", trained / "out/model"),
            *("--settings", '{"batch_tokens":60}', "--text", f'{{"max_length":{max_length}}}'),
            *("--output", tmp_path / "rewards.parquet"),
        )

    return run


def test_every_answer_gets_its_reward(
    trained: Path, tmp_path: Path, answers: pa.Table, score: Any, some_talks: Any
) -> None:
    output = tmp_path / "rewards.parquet"
    done = score(answers)
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
    pairs = [(questions[int(row["id"][3:])], row["prediction"]) for row in answers.to_pylist()]
    loaded = load_reward_model(str(trained / "out/model"))
    expected = rewards(loaded[0], encode(pairs, RewardTextSettings(max_length=40), *loaded), 1)
    assert table["reward"].to_pylist() == pytest.approx(expected, abs=1e-4)
    # They do not depend on the steps that share a segment.
    assert score(answers.slice(4)).returncode == 0
    assert pq.read_table(output).equals(table.slice(4))


def test_a_stopped_job_goes_on_with_rewards_of_the_same_input(
    tmp_path: Path, answers: pa.Table, score: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "rewards.parquet"
    assert score(answers).returncode == 0
    expected = output.read_bytes()
    output.unlink()

    def score_step_0(part: pa.Table, *others: Any) -> pa.Table:
        if part["step"][0].as_py() == 10:
            raise InputError("stopped")
        return score_answers(part, *others)

    monkeypatch.setattr("nearfirst.reward.score.score_answers", score_step_0)
    changed = answers.set_column(3, "prediction", pa.array(["other"] * 8))
    changes: list[tuple[pa.Table, int]] = [(answers, 39), (changed, 40), (answers, 40)]
    for table, max_length in changes:
        done = score(table, max_length)
        assert "step 0: mean reward" in done.stderr
        assert done.stderr.endswith("error: stopped\n")
        assert not output.exists()
    monkeypatch.undo()
    done = score(answers)
    assert " 1 of 2 parts were made by an earlier job\n" in done.stderr
    assert "step 0: mean reward" not in done.stderr
    assert output.read_bytes() == expected
