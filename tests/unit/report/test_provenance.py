"""The config that makes a figure again: what differs from the preset, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from nearfirst.config import load
from nearfirst.report.provenance import differences

PRESETS = Path(__file__).parents[3] / "workflow/presets"


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"seeds": [3, 5], "train": {"learning_rate": 0.5}},
        # Rows of tables are compared key by key, labels as a whole.
        {"arrangements": {"tma-nearest": {"within_round": "pool"}, "mine": {"method": "random"}}},
        {"data": {"mine": {"path": "pool.jsonl"}, "flan": {"sample": {"train_per_task": 9}}}},
        {"look": {"legend": {"NFT": "near"}}},
    ],
)
def test_the_config_comes_back(user: dict[str, Any]) -> None:
    base = load({"preset": "tiny"}, PRESETS)
    config = load({"preset": "tiny", **user}, PRESETS)
    found = yaml.safe_load(yaml.safe_dump(differences(config, base)))
    assert found.keys() == user.keys()
    assert load({"preset": "tiny", **found}, PRESETS) == config


def test_labels_of_curves_are_kept_as_a_whole() -> None:
    base = load({"preset": "tiny"}, PRESETS)
    curves = {"NFT": "tma-nearest", "RT": "round-robin"}
    user: dict[str, Any] = {"figures": {"fig4_flan": {"arrangements": curves}}}
    assert differences(load({"preset": "tiny", **user}, PRESETS), base) == user
