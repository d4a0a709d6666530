"""The config that a figure was made with: what of it counts, and that it makes the figure again."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from nearfirst.config import Config, load
from nearfirst.figures.catalogue import FigureSettings
from nearfirst.report.provenance import made_with

PRESETS = Path(__file__).parents[3] / "workflow/presets"


def record(name: str, user: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a figure, as a file would keep it."""
    config = load(user, PRESETS)
    bases = [Config(), load({"preset": config.preset}, PRESETS)]
    found: dict[str, Any] = yaml.safe_load(yaml.safe_dump(made_with(config, bases, name)))
    return found


@pytest.mark.parametrize("preset", ["mini", "paper"])
def test_as_a_config_it_makes_the_same_figure(preset: str) -> None:
    for name in FigureSettings.model_fields:
        found = record(name, {"preset": preset, "seeds": [3, 5]})
        assert found["seeds"] == [3, 5]
        assert found["figures"].keys() == {name}
        assert record(name, found) == found


@pytest.mark.parametrize(
    ("change", "figure", "counts"),
    [
        ({"train": {"learning_rate": 0.5}}, "fig4_flan", True),
        # The default, where the preset has another value.
        ({"train": {"learning_rate": 1e-6}}, "fig4_flan", True),
        ({"data": {"flan": {"test": "specialist-4"}}}, "fig4_flan", True),
        ({"data": {"flan": {"sample": {"train_per_task": 9}}}}, "fig12_selection", True),
        ({"data": {"niv2": {"test": "specialist-4"}}}, "fig4_flan", False),
        ({"distance": {"measure": "euclidean"}}, "fig4_flan", True),
        ({"distance": {"measure": "euclidean"}}, "fig1_loss", False),
        ({"arrangements": {"tma-nearest": {"within_round": "pool"}}}, "fig4_flan", True),
        ({"arrangements": {"tma-nearest": {"within_round": "pool"}}}, "fig3_similarity", False),
        ({"similarity": {"ngram": 3}}, "nine_similarities", True),
        ({"similarity": {"ngram": 3}}, "fig7_seeds", False),
        ({"prediction": {"resamples": 200}}, "similarity_vs_loss", True),
        ({"loss_types": {"within_steps": 4}}, "loss_types", True),
        ({"distribution": {"least": 5}}, "fig6_p3", True),
        ({"generate": {"temperature": 0.5}}, "fig1_reward", True),
        ({"generate": {"temperature": 0.5}}, "fig1_loss", False),
        ({"scores": {"rouge": "paper"}}, "fig1_scores", True),
        ({"reward": {"text": {"max_length": 99}}}, "fig6_flan", True),
        ({"evaluate": {"batch_tokens": 99}}, "fig2_permutations", True),
        ({"look": {"width": 9}}, "fig4_flan", False),
        ({"hardware": {"threads": 7}}, "fig4_flan", False),
    ],
)
def test_what_is_behind_a_figure_counts_and_nothing_else(
    change: dict[str, Any], figure: str, counts: bool
) -> None:
    assert (record(figure, change) != record(figure, {})) == counts
