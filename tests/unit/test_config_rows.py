"""Tables of the config: typed rows, `like`, and what cannot be a row."""

from typing import Any

import pytest
from configs import PRESETS, refusal

from nearfirst.config import load


def test_a_row_starts_from_another_and_follows_it() -> None:
    config = load({"data": {"flan": {"path": "f.json", "sample": {"split_seed": 7}}}}, PRESETS)
    full = config.data["flan_full"]
    assert full.path == "f.json"
    assert (full.sample.split_seed, full.sample.train_per_task) == (7, None)  # type: ignore[attr-defined]
    assert (full.keep_distances, config.data["flan"].keep_distances) == (False, True)


def test_a_new_row_of_each_table_whose_curves_are_replaced_whole() -> None:
    config = load(
        {
            "data": {"small": {"like": "flan", "sample": {"train_per_task": 3}}},
            "arrangements": {"far-half": {"like": "budget-max", "budget": 9}},
            "figures": {"mine": {"like": "fig4_flan", "curves": {"a": "random"}, "reference": "a"}},
        },
        PRESETS,
    )
    assert config.arrangements["far-half"].model_dump(exclude_defaults=True) == {
        **{"order": "farthest", "budget": 9, "select": "last", "steps": "epoch"}
    }
    assert config.figures["mine"].curves == {"a": "random"}  # type: ignore[attr-defined]
    assert "fig4_small" in config.figures


def test_another_type_begins_the_row_anew() -> None:
    config = load({"arrangements": {"tma-rounds-0": {"method": "random"}}}, PRESETS)
    row = config.arrangements["tma-rounds-0"].model_dump(exclude_none=True)
    assert row == {"method": "random", "representation": "text", "queries": "all"}


@pytest.mark.parametrize(
    ("table", "rows", "message"),
    [
        ("data", {"x": {"format": "flam"}}, "did you mean 'flan'?"),
        ("arrangements", {"x": {"order": "nearest"}}, "arrangements.x': method is missing"),
        ("data", {"x": {"like": "y"}, "y": {"like": "x"}}, "data.y.like': goes in a circle: x"),
        ("data", {"x": {"like": ["flan"]}}, "data.x.like': there is no ['flan']"),
        ("data", {"x": {"path": "p", "columns": {"": "prompt"}}}, "x.columns.' (''): String"),
        ("data", {"x": {"like": ""}}, "data.x.like': there is no ''"),
        ("arrangements", {"random": {"method": ""}}, "arrangements.random.method': '' is none of"),
        ("data", {"x": {"like": "flann"}}, "there is no 'flann'; did you mean 'flan'"),
        (
            "data",
            {"x": {"like": "flan", "format": "niv2"}},
            "data.x.like': 'flan' has format 'flan', but this row has 'niv2'",
        ),
        ("data", {"Flan": {"path": "f"}}, "data.Flan': differs from 'flan' in case alone"),
        ("arrangements", {"a/b": {"method": "tma"}}, "arrangements.a/b': a name holds letters"),
        ("arrangements", {"$(x)": {"method": "tma"}}, "arrangements.$(x)': a name holds letters"),
        ("arrangements", {"x": 3}, "arrangements.x': 3 is not a row"),
        # Another row is like this one.
        ("data", {"flan": {"sample": 5}}, "data.flan.sample' (5)"),
        ("arrangements", [1], "arrangements': [1] is not a table of rows"),
        (
            "arrangements",
            {"x": {"method": "no_file.py:order"}},
            "arrangements.x.method': no_file.py: no such file",
        ),
        (
            "figures",
            {"x": {"kind": "arrangements", "dataset": "flan", "reference": "a"}},
            "figures.x.curves': it is required",
        ),
        (
            "figures",
            {"fig4_flan": {"curves": {"NFT": "tma-nearby"}, "reference": "NFT"}},
            "figures.fig4_flan.curves.NFT': there is no arrangement 'tma-nearby'",
        ),
        ("figures", {"fig4_flan": {"dataset": "flam"}}, "did you mean 'flan'?"),
        ("data", {"flan": {"query": "specialist-0"}}, "query': 'specialist-0' is the test set too"),
        ("data", {"sharegpt": {"query": "specialist-0"}}, "no 'specialist-0' where the test is"),
        (
            "data",
            {"x": {"path": "p", "test_path": "t", "query_path": "t"}},
            "query_path': it is the test set too",
        ),
        (
            "data",
            {"flan": {"exclude": {"near_text": True}}},
            "near_text' (True): expected a number",
        ),
        ("data", {"flan": {"exclude": {"representation": "txt"}}}, "did you mean 'text'?"),
        (
            "arrangements",
            {"tma-nearest": {"representation": "texts"}},
            "arrangements.tma-nearest.representation': there is no representation 'texts'",
        ),
    ],
)
def test_a_row_that_cannot_be_used(table: str, rows: Any, message: str) -> None:
    lines = refusal({table: rows}).splitlines()
    assert any(line.startswith(f"config key '{table}") and message in line for line in lines), lines
