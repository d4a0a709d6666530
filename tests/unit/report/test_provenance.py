"""The config that makes a figure again: what differs from the preset, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from nearfirst.config import load
from nearfirst.report.provenance import differences, provenance

PRESETS = Path(__file__).parents[3] / "workflow/presets"
BASE = load({"preset": "tiny"}, PRESETS)
CURVES = {"NFT": "tma-nearest", "RT": "round-robin"}


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"seeds": [3, 5], "train": {"learning_rate": 0.5}},
        # Rows of tables are compared key by key, labels as a whole.
        {"arrangements": {"tma-nearest": {"within_round": "pool"}, "mine": {"method": "random"}}},
        {"data": {"flan": {"sample": {"train_per_task": 9}}}},
        {"figures": {"fig4_flan": {"curves": CURVES}}},
        {"look": {"legend": {"NFT": "near"}}},
    ],
)
def test_the_differences_make_the_config_again(user: dict[str, Any]) -> None:
    config = load({"preset": "tiny", **user}, PRESETS)
    found = yaml.safe_load(yaml.safe_dump(differences(config, BASE)))
    assert found.keys() == user.keys()
    assert load({"preset": "tiny", **found}, PRESETS) == config


def test_of_figures_only_its_own_row_is_kept() -> None:
    user = {"preset": "tiny", "seeds": [3], "look": {"width": 9}, "run": "two"}
    config = load({**user, "figures": {"mine": {"like": "fig4_flan", "curves": CURVES}}}, PRESETS)
    found = provenance(config, BASE, "mine")
    assert found.keys() == {"preset", "seeds", "figures"}
    assert found["figures"]["mine"]["curves"] == CURVES
    again = load(found, PRESETS)
    assert again.figures["mine"] == config.figures["mine"]
    assert again.seeds == config.seeds
    assert found["figures"].keys() == {"mine"}
