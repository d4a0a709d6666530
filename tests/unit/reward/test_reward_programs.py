"""The programs of the reward: pairs, a model trained on them, the rewards of answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from nearfirst.common.parquet import write_table
from nearfirst.generate.table import GENERATIONS
from nearfirst.reward.model import load_reward_model
from nearfirst.reward.score import encode, exchange, rewards
from nearfirst.reward.settings import RewardTextSettings, RewardTrainingSettings
from nearfirst.reward.table import PREFERENCES, REWARDS
from nearfirst.reward.train import from_base, train

TEMPLATE = "Human: {instruction}\n\nAssistant: {answer}"


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Path:
    model, tokenizer = from_base(str(model_folder), 0)
    with torch.no_grad():
        model.regression_head.weight.mul_(100)  # so that rewards differ
    folder = tmp_path_factory.mktemp("reward") / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, some_talks: Any, write_instances: Any) -> Path:
    path = tmp_path_factory.mktemp("instances") / "test.parquet"
    write_instances(path, some_talks(4))
    return path


def task(id_: str) -> str:
    return f"task-{int(id_.removeprefix('id-')) % 3}"


def answers(path: Path, given: list[tuple[int, str, str | None]], **metadata: str) -> Path:
    columns = {
        "step": [step for step, _, _ in given],
        "id": [id_ for _, id_, _ in given],
        "task": [task(id_) for _, id_, _ in given],
        "prediction": [text for _, _, text in given],
        "tokens": [1] * len(given),
        "finished": [True] * len(given),
    }
    write_table(pa.table(columns, schema=GENERATIONS), path, metadata)
    return path


def flags(answered: Path, asked: Path, model: Path, output: Path) -> list[Any]:
    return [
        *("reward.py", "--generations", answered, "--instances", asked, "--reward-model", model),
        *("--output", output, "--log", output.with_suffix(".log")),
    ]


def test_every_answer_gets_its_reward(
    tmp_path: Path, program: Any, some_talks: Any, asked: Path, reward_model: Path
) -> None:
    texts = ["a cat", "", "кошка 猫 {answer}</s>", "a cat"]
    given = [(step, f"id-{i}", texts[i - step // 10]) for step in (0, 10) for i in (2, 0, 3, 1)]
    output = tmp_path / "rewards.parquet"
    answered = answers(tmp_path / "answers.parquet", given, left_out="3")
    done = program(
        *flags(answered, asked, reward_model, output), "--settings", '{"batch_tokens":60}'
    )
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert table.schema.remove_metadata() == REWARDS
    assert table.schema.metadata[b"left_out"] == b"3"
    found = table.to_pandas()
    assert found["step"].tolist() == [step for step, _, _ in given]
    assert found["id"].tolist() == [id_ for _, id_, _ in given]
    assert found["task"].tolist() == [task(id_) for _, id_, _ in given]
    model, tokenizer = load_reward_model(str(reward_model))
    talks = some_talks(4)
    for (_, id_, answer), reward in zip(given, found["reward"], strict=True):
        question = talks[int(id_.removeprefix("id-"))][0]["content"]
        tokens, _ = encode([exchange(TEMPLATE, question, answer)], tokenizer, 256)
        assert reward == pytest.approx(rewards(model, tokens, 1)[0], abs=1e-4)
    assert found["reward"].std() > 0.01
    log = output.with_suffix(".log").read_text()
    for step, rows in found.groupby("step"):
        assert f"step {step}: mean reward {rows['reward'].mean():.4f}" in log


def test_long_texts_lose_their_beginning_and_are_counted(
    tmp_path: Path, program: Any, asked: Path, reward_model: Path
) -> None:
    given = [(0, "id-0", "green apples " * 30), (0, "id-1", "green apples " * 30)]
    output = tmp_path / "rewards.parquet"
    answered = answers(tmp_path / "answers.parquet", given)
    short = ("--text", '{"max_length":16}')
    done = program(*flags(answered, asked, reward_model, output), *short)
    assert done.returncode == 0, done.stderr
    table = pq.read_table(output)
    assert len(set(table["reward"].to_pylist())) == 1  # only the questions differed
    assert table.schema.metadata[b"left_out"] == b"0"
    log = output.with_suffix(".log").read_text()
    assert "2 answers, 2 cut at the beginning to 16 tokens" in log


def fails(done: Any, output: Path, *messages: str) -> None:
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    for message in messages:
        assert message in done.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([(0, "id-0", "a"), (0, "id-9", "b")], "answers.parquet: 1 ids are not in "),
        ([(0, "id-0", "a"), (0, "id-1", None)], "row 1 (step 0, id 'id-1') has no prediction"),
        ([(0, "id-0", "a"), (None, "id-1", "b")], "row 1 (step None, id 'id-1') has no step"),
        ([(0, "id-0", "a"), (0, "id-0", "b")], "step 0, id 'id-0' stands in 2 rows"),
        ([], "the table has no rows"),
    ],
)
def test_answers_that_cannot_be_used_are_told(
    tmp_path: Path, program: Any, asked: Path, reward_model: Path, given: Any, message: str
) -> None:
    answered = answers(tmp_path / "answers.parquet", given)
    output = tmp_path / "rewards.parquet"
    fails(program(*flags(answered, asked, reward_model, output)), output, message)


def test_answers_of_another_task_are_told(
    tmp_path: Path, program: Any, asked: Path, reward_model: Path
) -> None:
    answered = answers(tmp_path / "answers.parquet", [(0, "id-0", "a"), (10, "id-0", "b")])
    table = pq.read_table(answered)
    other = table.set_column(2, GENERATIONS.field("task"), pa.array(["old", "task-0"]))
    write_table(other, answered)
    output = tmp_path / "rewards.parquet"
    done = program(*flags(answered, asked, reward_model, output))
    fails(done, output, f"{answered}: id 'id-0' is of task 'old', but in {asked} of 'task-0'")


def test_a_reward_that_is_not_finite_is_told(
    tmp_path: Path, program: Any, asked: Path, model_folder: Path
) -> None:
    model, tokenizer = from_base(str(model_folder), 0)
    (rare,) = tokenizer("\x00", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        model.model.embed_tokens.weight[rare] = np.nan
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    given = [(10, "id-2", "a"), (20, "id-1", "a"), (20, "id-2", "a \x00"), (30, "id-2", "\x00")]
    answered = answers(tmp_path / "answers.parquet", given)
    output = tmp_path / "rewards.parquet"
    done = program(*flags(answered, asked, tmp_path / "model", output))
    fails(done, output, f"{tmp_path / 'model'}: the reward of id 'id-2' at step 20 is not finite")


def test_a_base_model_is_no_reward_model(
    tmp_path: Path, program: Any, asked: Path, model_folder: Path
) -> None:
    answered = answers(tmp_path / "answers.parquet", [(0, "id-0", "a")])
    output = tmp_path / "rewards.parquet"
    done = program(*flags(answered, asked, model_folder, output))
    fails(done, output, f"{model_folder}: tensor 'regression_head.weight' is missing")


TRAIN = ("--settings", '{"epochs":2,"batch_size":4}', "--text", '{"max_length":64}')


def test_from_instances_to_a_reward(
    tmp_path: Path,
    program: Any,
    some_talks: Any,
    write_instances: Any,
    asked: Path,
    model_folder: Path,
) -> None:
    named: list[Any] = []
    for seed, name in enumerate(("niv2", "flan")):
        write_instances(tmp_path / f"{name}.parquet", some_talks(24, seed))
        named += ["--dataset", name, tmp_path / f"{name}.parquet"]
    made = tmp_path / "pairs.parquet"
    done = program("preferences.py", *named, "--output", made, "--settings", '{"most":20}')
    assert done.returncode == 0, done.stderr
    assert pq.read_schema(made) == PREFERENCES
    table = pq.read_table(made).to_pandas()
    assert table.groupby("dataset").size().to_dict() == {"flan": 20, "niv2": 20}
    assert table[table["held_out"]].groupby("dataset")["task"].nunique().to_dict() == {
        "flan": 1,
        "niv2": 1,
    }
    model, accuracy = tmp_path / "out" / "model", tmp_path / "out" / "accuracy.csv"
    done = program(
        *("train_reward.py", "--pairs", made, "--model", model_folder, *TRAIN),
        *("--output", model, "--accuracy", accuracy),
    )
    assert done.returncode == 0, done.stderr
    measured = pd.read_csv(accuracy)
    assert measured.columns.tolist() == ["split", "group", "accuracy", "low", "high", "n"]
    assert set(measured["split"]) == {"training", "held-out"}
    assert {"all", "flan", "niv2"} <= set(measured["group"])
    whole = measured[(measured["split"] == "held-out") & (measured["group"] == "all")]
    assert whole["n"].tolist() == [int(table["held_out"].sum())]
    assert ((measured["low"] <= measured["accuracy"]) & (measured["accuracy"] <= 1)).all()
    assert sorted(path.name for path in model.parent.iterdir()) == ["accuracy.csv", "model"]

    # The one by the program, the other in this process.
    again = tmp_path / "again"
    again.mkdir()
    settings, text = RewardTrainingSettings.parse(TRAIN[1]), RewardTextSettings.parse(TRAIN[3])
    second = train(table, str(model_folder), settings, text, again)
    assert second.to_csv(index=False, float_format="%.6f") == accuracy.read_text()
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in model.iterdir()
    }

    answered = answers(tmp_path / "answers.parquet", [(0, "id-0", "a cat"), (0, "id-1", "")])
    output = tmp_path / "rewards.parquet"
    done = program(*flags(answered, asked, model, output))
    assert done.returncode == 0, done.stderr
    assert np.isfinite(pq.read_table(output)["reward"].to_numpy()).all()


def test_a_failed_training_leaves_nothing(tmp_path: Path, program: Any, model_folder: Path) -> None:
    pair = {name: ["a"] for name in PREFERENCES.names if name != "held_out"}
    table = pa.table({**pair, "held_out": [False]}, schema=PREFERENCES)
    write_table(table, tmp_path / "pairs.parquet")
    model, accuracy = tmp_path / "out" / "model", tmp_path / "out" / "accuracy.csv"
    done = program(
        *("train_reward.py", "--pairs", tmp_path / "pairs.parquet", "--model", model_folder),
        *("--output", model, "--accuracy", accuracy),
    )
    fails(done, model, "no pair is held out")
    assert list(model.parent.iterdir()) == []


@pytest.mark.parametrize("column", ["rejected", "held_out"])
def test_a_pair_that_is_not_whole_is_told(
    tmp_path: Path, program: Any, model_folder: Path, column: str
) -> None:
    pairs = {name: ["a", "b"] for name in PREFERENCES.names if name != "held_out"}
    columns: dict[str, list[Any]] = {**pairs, "held_out": [True, False]}
    columns[column] = [columns[column][0], None]
    write_table(pa.table(columns, schema=PREFERENCES), tmp_path / "pairs.parquet")
    model = tmp_path / "model"
    done = program(
        *("train_reward.py", "--pairs", tmp_path / "pairs.parquet", "--model", model_folder),
        *("--output", model, "--accuracy", tmp_path / "accuracy.csv"),
    )
    fails(done, model, f"{tmp_path / 'pairs.parquet'}: row 1 has no {column}; make the table again")


def test_a_data_set_stands_once(tmp_path: Path, program: Any, asked: Path) -> None:
    output = tmp_path / "pairs.parquet"
    twice = ("--dataset", "flan", asked, "--dataset", "flan", asked)
    fails(program("preferences.py", *twice, "--output", output), output, "one stands twice")
    gone = ("--dataset", "flan", tmp_path / "gone.parquet")
    fails(program("preferences.py", *gone, "--output", output), output, "gone.parquet: no such")
