"""The programs of the reward: pairs, a model trained on them, the rewards of answers."""

import logging
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from checkout import ROOT

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import INSTANCES, read_table, write_table
from nearfirst.generate.table import ANSWERS
from nearfirst.reward.exchanges import encode, exchanges_of
from nearfirst.reward.model import load_reward_model
from nearfirst.reward.score import rewards
from nearfirst.reward.settings import RewardTextSettings, RewardTrainingSettings
from nearfirst.reward.table import PREFERENCES, REWARDS
from nearfirst.reward.train import train

Program = Callable[..., subprocess.CompletedProcess[str]]
TRAIN = ("--settings", '{"epochs":2,"batch_size":4}', "--text", '{"max_length":64}')
IDENTITY = {"dataset": "flan", "test": "heldout", "arrangement": "random", "seed": "3"}


@pytest.fixture
def program_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run a program in this process, where torch is imported already."""

    def run(name: str, *arguments: object) -> None:
        path = str(ROOT / "workflow/scripts" / name)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        monkeypatch.setattr(cli, "run", lambda main, arguments: main(arguments))
        monkeypatch.setattr(sys, "argv", [path, *map(str, arguments)])
        runpy.run_path(path, run_name="__main__")

    return run


def test_from_instances_to_rewards(
    tmp_path: Path,
    program: Program,
    program_here: Callable[..., None],
    some_talks: Any,
    write_instances: Any,
    model_folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    named: list[Any] = []
    for seed, name in enumerate(("niv2", "flan")):
        write_instances(tmp_path / f"{name}.parquet", some_talks(24, seed))
        named += ["--dataset", name, tmp_path / f"{name}.parquet"]
    made = tmp_path / "pairs.parquet"
    limit = ("--settings", '{"max_per_dataset":20}')
    program_here("preferences.py", *named, "--output", made, *limit)
    assert pq.read_schema(made) == PREFERENCES
    pairs = pq.read_table(made).to_pandas()
    assert pairs.groupby("dataset").size().to_dict() == {"flan": 20, "niv2": 20}
    held_out = pairs[pairs["held_out"]]
    assert held_out.groupby("dataset")["task"].nunique().to_dict() == {"flan": 1, "niv2": 1}

    folder, accuracy = tmp_path / "out" / "model", tmp_path / "out" / "accuracy.csv"
    done = program(
        *("train_reward.py", "--pairs", made, "--model", model_folder, *TRAIN),
        *("--output", folder, "--accuracy", accuracy),
    )
    assert done.returncode == 0, done.stderr
    measured = pd.read_csv(accuracy).set_index(["split", "group"])
    assert measured.columns.tolist() == ["accuracy", "low", "high", "n"]
    assert measured.loc[("held-out", "all"), "n"] == len(held_out)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["accuracy.csv", "model"]
    # Trained again in this process: the same bytes.
    again = tmp_path / "again"
    again.mkdir()
    settings, text = RewardTrainingSettings.parse(TRAIN[1]), RewardTextSettings.parse(TRAIN[3])
    second = train(pairs, str(model_folder), settings, text, again)
    assert second.to_csv(index=False, float_format="%.6f") == accuracy.read_text()
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }

    texts = ["a cat", "", "кошка 猫 {answer}</s>", "green apples " * 30]
    rows = [(step, i, texts[i - step // 10]) for step in (0, 10) for i in (2, 0, 3, 1)]
    steps, numbers, predictions = zip(*rows, strict=True)
    ids, tasks = [f"id-{i}" for i in numbers], [f"task-{i % 3}" for i in numbers]
    answers = pa.table([steps, ids, tasks, predictions], schema=ANSWERS)
    answered, output = tmp_path / "answers.parquet", tmp_path / "rewards.parquet"
    write_table(answers, answered, {"left_out": "3", **IDENTITY})
    asked = tmp_path / "flan.parquet"
    caplog.set_level(logging.INFO)
    program_here(
        *("reward.py", "--generations", answered, "--instances", asked, "--reward-model", folder),
        *("--settings", '{"batch_tokens":60}', "--text", '{"max_length":40}', "--output", output),
    )
    table = pq.read_table(output)
    assert table.schema.remove_metadata() == REWARDS
    assert table.schema.metadata[b"left_out"] == b"3"
    assert read_identity(output) == IDENTITY
    assert table.select(["step", "id", "task"]).equals(answers.select(["step", "id", "task"]))
    model, tokenizer = load_reward_model(str(folder))
    questions = [talk[0]["content"] for talk in some_talks(24, 1)]
    exchanges = [(questions[i], answer) for _, i, answer in rows]
    expected = rewards(
        model, encode(exchanges, RewardTextSettings(max_length=40), model, tokenizer), 1
    )
    assert table["reward"].to_pylist() == pytest.approx(expected, abs=1e-4)
    assert "8 answers, 4 cut at the start to 40 tokens" in caplog.messages
    for step, mean in table.to_pandas().groupby("step")["reward"].mean().items():
        assert f"step {step}: mean reward {mean:.4f}" in caplog.messages


def test_answers_to_other_instances_are_refused(
    tmp_path: Path, write_instances: Any, some_talks: Any
) -> None:
    path = tmp_path / "test.parquet"
    write_instances(path, some_talks(1))
    given = Path("answers.parquet")
    for id_, task, message in (
        ("id-9", "task-0", f"{given}: 1 ids are not in {path}"),
        ("id-0", "old", f"{given}: id 'id-0' is of task 'old', but in {path} of 'task-0'"),
    ):
        answers = pa.table([[0], [id_], [task], ["a"]], schema=ANSWERS)
        with pytest.raises(InputError) as caught:
            exchanges_of(answers, given, read_table(path, INSTANCES), path)
        assert str(caught.value).startswith(message)


def test_a_failed_training_leaves_nothing(
    tmp_path: Path, program_here: Callable[..., None], model_folder: Path
) -> None:
    pair = {name: ["a"] for name in PREFERENCES.names if name != "held_out"}
    table = pa.table({**pair, "held_out": [False]}, schema=PREFERENCES)
    write_table(table, tmp_path / "pairs.parquet")
    output = tmp_path / "out"
    with pytest.raises(InputError, match="no pair is held out"):
        program_here(
            *("train_reward.py", "--pairs", tmp_path / "pairs.parquet", "--model", model_folder),
            *("--output", output / "model", "--accuracy", output / "accuracy.csv"),
        )
    assert list(output.iterdir()) == []


def test_each_data_set_is_given_once(tmp_path: Path, program_here: Callable[..., None]) -> None:
    twice = ("--dataset", "flan", "a.parquet", "--dataset", "flan", "b.parquet")
    with pytest.raises(InputError, match="--dataset: flan, flan: one is given twice"):
        program_here("preferences.py", *twice, "--output", tmp_path / "pairs.parquet")
