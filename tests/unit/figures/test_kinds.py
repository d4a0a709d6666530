"""Kinds of figure: their runs, labels, captions and headings."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from configs import PRESETS
from runs import figure

from nearfirst.common.errors import InputError
from nearfirst.config import load
from nearfirst.figures.figure import RunId
from nearfirst.figures.registry import KINDS

FIGURES = load({"preset": "paper"}, PRESETS).figures


CONFIG = SimpleNamespace(
    test_of="test-of-{}".format, seeds_of=lambda name: [3] if name == "fixed" else [3, 5]
)


def runs(dataset: str, test: str, *arrangements: str) -> Iterator[RunId]:
    for arrangement in arrangements:
        for seed in CONFIG.seeds_of(arrangement):
            yield RunId(dataset, test, arrangement, seed)


ROWS = {
    "arrangements": figure("arrangements", "fixed", "b", dataset="p3", reference="b"),
    "datasets": figure("datasets", "p3", "flan", test="heldout", arrangement="a", metric="rougeL"),
    "metrics": figure("metrics", dataset="p3", arrangement="a", metrics=["rouge1", "rougeL"]),
    "tasks": figure("tasks", "a", dataset="p3", tests=["heldout", "specialist-1"], panels="test"),
    "prediction": figure("prediction", "a", "b", dataset="p3", test="heldout"),
    "interaction": figure(
        "interaction",
        dataset="p3",
        test="specialist-1",
        conditions={"one": {"k": "a", "l": "fixed"}, "two": {"k": "b", "l": "c"}},
        reference="l",
    ),
}
RUNS = {
    "arrangements": runs("p3", "test-of-p3", "fixed", "b"),
    "datasets": [*runs("p3", "heldout", "a"), *runs("flan", "heldout", "a")],
    "metrics": runs("p3", "generalist-0", "a"),
    "tasks": [*runs("p3", "heldout", "a"), *runs("p3", "specialist-1", "a")],
    "prediction": runs("p3", "heldout", "a", "b"),
    "interaction": runs("p3", "specialist-1", "a", "fixed", "b", "c"),
}
NEEDED = {"datasets": ["rougeL"], "metrics": ["rouge1", "rougeL"]}


@pytest.mark.parametrize("kind", ROWS)
def test_the_runs_and_metrics_of_each_kind(kind: str) -> None:
    row = KINDS.parse(ROWS[kind])
    expected = list(RUNS[kind])
    assert row.runs(CONFIG) == expected
    assert {row.label(run) for run in expected} == set(row.labels())
    for other in (RunId("other", "heldout", "a", 3), RunId("p3", "heldout", "other", 3)):
        assert row.label(other) is None
    assert row.metric_names() == NEEDED.get(kind, ["loss"])
    assert row.needs_similarity() == (kind == "prediction")
    assert bool(row.contrasts()) == (kind in ("arrangements", "interaction"))
    assert all(contrast.weights.keys() <= set(row.labels()) for contrast in row.contrasts())
    assert {what for _, what, _ in row.references()} == {"data set", "arrangement"}
    assert all(dataset in ("p3", "flan") for _, dataset, _ in row.splits())


def test_an_interaction_is_a_difference_of_differences() -> None:
    contrasts = {each.name: each for each in KINDS.parse(ROWS["interaction"]).contrasts()}
    assert list(contrasts) == ["l-k: one", "l-k: two", "l-k: one - two"]
    assert contrasts["l-k: two"].weights == {"l (two)": 1, "k (two)": -1}
    assert contrasts["l-k: one - two"].weights == {
        **{"l (one)": 1, "k (one)": -1},
        **{"l (two)": -1, "k (two)": 1},
    }


def test_runs_of_a_condition_are_trained_alike() -> None:
    row = FIGURES["schedule_control"]
    training = json.loads(row.arguments(load({"preset": "paper"}, PRESETS))["--training"])
    assert [settings["schedule"] for settings in training.values()] == ["constant", "cosine"]
    other = load({"arrangements": {"random-constant": {"learning_rate": 0.1}}}, PRESETS)
    with pytest.raises(InputError, match=r"conditions\.constant rate: tma-nearest-constant and ra"):
        row.arguments(other)


def test_words_are_no_part_of_the_numbers() -> None:
    words = {"caption": "Mean {metric}.", "section": "Figure 2"}
    row = KINDS.parse(figure("datasets", "p3", metric="reward", **words))
    assert not row.numbers().keys() & words.keys()
    assert KINDS.parse(row.model_dump_json()) == row
    assert row.caption_text() == "Mean reward."
    row = KINDS.parse(figure("metrics", dataset="p3", caption="{metric} on {dataset}, {not} this."))
    assert row.caption_text() == "ROUGE-1, ROUGE-L and Exact Match on p3, {not} this."


def test_figures_of_the_paper_have_words_and_a_heading() -> None:
    numbered = [row for name, row in FIGURES.items() if name.startswith("fig")]
    headings = [row.heading() for row in numbered]
    assert headings == sorted(headings), "in the order of the paper"
    # The page makes links of headings, in which a colon would end the name.
    assert not [heading for heading in headings if ":" in heading]
    for name, row in FIGURES.items():
        assert row.caption != type(row).model_fields["caption"].default, name
        assert row.section != "Your figures", name
        if name.startswith("fig"):
            assert f"After Figure {name.removeprefix('fig').partition('_')[0]}" in row.caption


def conditions(x: dict[str, str], y: dict[str, str]) -> dict[str, object]:
    return {"conditions": {"x": x, "y": y}, "reference": "a"}


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        ("arrangements", {"curves": {"a": "x", "b": "x"}, "reference": "a"}, "holds one twice"),
        ("arrangements", {"curves": {"a": "x"}, "reference": "b"}, "'b' is none of the labels a"),
        (
            "interaction",
            conditions({"a": "k"}, {"b": "l"}),
            "conditions: y has the labels b, but the first condition has a",
        ),
        ("interaction", conditions({"a": "k"}, {"a": "l"}), "reference: 'a': expected one of two"),
        ("interaction", conditions({"a": "k", "b": "l"}, {"a": "m", "b": "k"}), "holds one twice"),
        ("advice", {"baseline": "random"}, "baseline: 'random': expected one of two or more"),
        ("advice", {"orders": {"a": ["x", "x"]}, "baseline": "x"}, "orders: .* holds one twice"),
        ("tasks", {"pick": [2, 2, 3]}, "pick: tasks 2 to 3 of 3"),
        ("tasks", {"quantities": ["cosine"]}, "'cosine' is none of loss, cosine-min"),
    ],
)
def test_rows_that_make_no_figure(kind: str, keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KINDS.settings(kind).model_validate(keys)
