"""Tables of the config: typed rows, `like`, and what cannot be a row."""

from configs import PRESETS

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
