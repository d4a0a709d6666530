"""The config that reproduces a figure: the differences from the preset, and nothing else."""

from typing import Any

import pytest
import yaml
from checkout import ROOT

from nearfirst.config import load
from nearfirst.report.provenance import differences, provenance

PRESETS = ROOT / "workflow/presets"
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
def test_the_differences_reproduce_the_config(user: dict[str, Any]) -> None:
    config = load({"preset": "tiny", **user}, PRESETS)
    changes = yaml.safe_load(yaml.safe_dump(differences(config, BASE)))
    assert changes.keys() == user.keys()
    assert load({"preset": "tiny", **changes}, PRESETS) == config


def test_of_figures_only_its_own_row_is_kept() -> None:
    user = {"preset": "tiny", "seeds": [3], "look": {"width": 9}, "run": "two"}
    config = load({**user, "figures": {"mine": {"like": "fig4_flan", "curves": CURVES}}}, PRESETS)
    record = provenance(config, BASE, "mine")
    assert record.keys() == {"preset", "seeds", "figures"}
    assert record["figures"].keys() == {"mine"}
    assert record["figures"]["mine"]["curves"] == CURVES
    again = load(record, PRESETS)
    assert again.figures["mine"] == config.figures["mine"]
    assert again.seeds == config.seeds
