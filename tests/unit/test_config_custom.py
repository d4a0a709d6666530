"""`data.mine` of the config: it exists once it has a path, and all its faults are named."""

import json
from typing import Any

import pytest
from configs import PRESETS, refusal

from nearfirst.config import load
from nearfirst.data.formats.chat import Settings


def mine(**keys: Any) -> Settings:
    dataset = load({"data": {"mine": {"path": "pool.jsonl", **keys}}}, PRESETS).data["mine"]
    assert isinstance(dataset, Settings)
    return dataset


@pytest.mark.parametrize("nothing", [{}, {"data": {"mine": None}}, {"data": {"mine": "null"}}])
def test_there_is_no_such_data_set_by_default(nothing: dict[str, Any]) -> None:
    config = load(nothing, PRESETS)
    assert "mine" not in config.data
    assert "fig4_mine" not in config.figures


def test_losses_elsewhere_are_a_figure_of_the_users_data() -> None:
    user = {"data": {"mine": {"path": "pool.jsonl"}}, "evaluate": {"also": ["niv2", "mine"]}}
    user["figures"] = {"gap": {"kind": "query-gap", "sets": {"here": "niv2.specialist-0"}}}
    config = load(user, PRESETS)
    sets = {name: row.sets for name, row in config.figures.items() if row.kind == "query-gap"}  # type: ignore[attr-defined]
    assert sets == {
        "elsewhere_mine": {"mine": "heldout", "niv2": "niv2.specialist-0"},
        "gap": {"here": "niv2.specialist-0", "mine": "mine.heldout"},
    }
    message = refusal({"data": user["data"], "evaluate": {"also": 3}})
    assert message.startswith("config key 'evaluate.also' (3): ")
    message = refusal({"figures": {"gap": {"kind": "query-gap"}}})
    assert "flan alone; name two sets, or other" in message


@pytest.mark.parametrize("preset", ["mini", "paper", "tiny"])
def test_a_path_is_enough_in_every_preset(preset: str) -> None:
    rows = {"mine": {"path": "pool.jsonl"}, "other": {"path": "other.parquet"}}
    config = load({"preset": preset, "data": rows}, PRESETS)
    for name in rows:
        figure = config.figures[f"fig4_{name}"]
        assert (figure.kind, figure.dataset) == ("arrangements", name)  # type: ignore[attr-defined]
        dataset = config.data[name]
        assert (dataset.test, dataset.steps) == ("heldout", "epoch")
        assert (dataset.has("heldout"), dataset.has("specialist-0")) == (True, False)


@pytest.mark.parametrize(
    ("keys", "test", "holds_out"),
    [
        ({}, "heldout", "rows"),
        ({"test_path": "test.jsonl"}, "heldout", "nothing"),
        ({"task_column": "task"}, "specialist-0", "tasks"),
        ({"task_column": "task", "test": "generalist-3"}, "generalist-3", "tasks"),
        ({"task_column": "task", "test_path": "test.jsonl"}, "heldout", "nothing"),
    ],
)
def test_which_test_set_there_is(keys: dict[str, str], test: str, holds_out: str) -> None:
    dataset = mine(**keys)
    assert (dataset.test, dataset.holds_out) == (test, holds_out)


def test_a_split_is_sampled_by_what_it_reads_alone() -> None:
    tasks = {"task_column": "task"}

    def read(split: str, **keys: Any) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(mine(**keys).sampling(split))
        return content

    assert set(read("train")["sample"]) == {
        *("held_out", "split_seed", "train_per_task", "train_seed", "unusable")
    }
    assert set(read("heldout")["sample"]) == {"held_out", "split_seed", "unusable"}
    assert set(read("heldout", test_path="t")["sample"]) == {"unusable"}
    assert set(read("generalist-0", **tasks)["sample"]) == {
        *("generalist", "split_seed", "unseen_tasks", "unusable")
    }
    # Another test set, of the same kind, trains on the same data.
    assert read("train", test_path="a") == read("train", test_path="b")
    assert read("train", **tasks) == read("train", **tasks, test="specialist-1")
