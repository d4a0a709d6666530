"""What claims are tested on follows from the rows of the config, whatever they are called."""

from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT

from nearfirst.arrange.methods.tma import Settings as TmaSettings
from nearfirst.config import load
from nearfirst.takeaways import claims, subjects
from nearfirst.takeaways.claims import BY_NAME, CLAIMS, TAKEAWAYS
from nearfirst.takeaways.effects import TESTS
from nearfirst.takeaways.subjects import Subject, fits

PRESETS = ROOT / "workflow/presets"


def found(**config: Any) -> dict[str, list[Subject]]:
    """Return the subjects of each claim in a config."""
    result: dict[str, list[Subject]] = {}
    for subject in claims.subjects(load(config, PRESETS)):
        result.setdefault(subject.claim, []).append(subject)
    return result


def test_every_claim_has_a_test_and_a_place() -> None:
    assert len(BY_NAME) == len(CLAIMS)
    assert {claim.takeaway for claim in CLAIMS} == set(TAKEAWAYS)
    assert {claim.test for claim in CLAIMS} == set(TESTS)
    assert [claim.takeaway for claim in CLAIMS] == sorted(claim.takeaway for claim in CLAIMS)


@pytest.mark.parametrize("preset", ["mini", "paper"])
def test_all_claims_can_be_tested_with_the_figures_of_the_paper(preset: str) -> None:
    subjects = found(preset=preset)
    assert list(subjects) == list(BY_NAME)
    assert not [its for several in subjects.values() for its in several if its.missing]
    # After the data set may come a rate that is not that of most runs.
    where = {
        name: [its.where.partition(",")[0] for its in several] for name, several in subjects.items()
    }
    assert where["early-rouge1"] == ["niv2"]
    assert where["early-loss"] == ["niv2", "p3", "flan"]
    assert where["tma-far-dialogues-run"] == ["sharegpt", "norobots"]
    assert where["budget-min"] == ["flan_full"]
    # Four figures show the same tests of the same data.
    assert [its.figure for its in subjects["test-samples"]] == ["fig7_seeds"]
    assert subjects["tma-wsd-run"][0].figure == "fig4_flan, fig3_similarity"
    last = {"mini": "[15,20)", "paper": "[25,30)"}[preset]
    assert [its.role for its in subjects["rounds"][0].roles][-1] == last
    near = subjects["tma-near-tasks-run"][0]
    assert [its.arrangement for its in near.beside] == ["tma-farthest"]


def test_steps_are_scaled_by_the_form_of_the_data() -> None:
    mine = {"paper_steps": {"niv2": 100, "p3": 50, "flan": 200}}
    steps = [its.paper_steps for its in found(takeaways=mine)["early-loss"]]
    assert steps == [100, 50, 200]
    assert found(preset="small", takeaways=mine)["early-loss"][0].paper_steps == 200


def test_without_its_data_a_claim_is_not_testable() -> None:
    subjects = found(preset="small")
    assert list(subjects) == list(BY_NAME)
    missing = {name: its[0].missing for name, its in subjects.items() if its[0].missing}
    assert missing["rounds"] == (
        "no figure of this config shows the loss of several buckets of rounds of TMA"
    )
    assert missing["tma-near-dialogues-run"].endswith("random order on held-out conversations")
    assert missing["reward-blind"].startswith("no figure of this config of kind 'rewards'")
    # Without a figure of one metric the runs of the tables of metrics will do.
    assert subjects["early-reward"][0].figure == "metric_stability"
    assert subjects["tma-near-tasks-run"][0].where == "evals"


def test_rows_are_found_by_what_they_are() -> None:
    subjects = found(
        data={"mine": {"like": "flan"}},
        arrangements={
            "first": {"method": "tma", "schedule": "constant"},
            "any": {"method": "random", "schedule": "constant"},
        },
        figures={
            "fig4_mine": None,
            "of_mine": {
                "kind": "arrangements",
                "dataset": "mine",
                "curves": {"a": "random", "b": "tma-nearest", "c": "first", "d": "any"},
                "reference": "a",
            },
        },
    )
    its = {
        name: [(one.where, [role.arrangement for role in one.roles]) for one in several]
        for name, several in subjects.items()
    }
    # Trained alike: under either schedule the nearest first is compared with its own random order.
    assert sorted(its["tma-near-tasks-end"]) == [
        ("flan", ["tma-nearest", "random"]),
        ("flan, constant schedule", ["tma-nearest-constant", "random-constant"]),
        ("mine", ["tma-nearest", "random"]),
        ("mine, constant schedule", ["first", "any"]),
    ]


def test_an_arrangement_fits_only_where_all_else_is_as_usual() -> None:
    def row(**keys: Any) -> Any:
        return TmaSettings(**keys)

    assert fits(row(), claims.TMA)
    assert fits(row(within_round="pool", schedule="constant", learning_rate=1e-4), claims.TMA)
    assert not fits(row(order="farthest"), claims.TMA)
    assert not fits(row(budget=10), claims.TMA)
    assert not fits(row(rounds=(0, 5)), claims.TMA)
    assert fits(row(budget=10), claims.BOTH_NEAREST)
    assert not fits(row(budget=10, select="first"), claims.BOTH_NEAREST)
    assert fits(row(budget=99, select="first"), claims.MIN)
    assert not fits(row(), claims.RANDOM)


def test_no_claim_names_a_data_set_of_the_config() -> None:
    names = load({"preset": "mini"}, PRESETS).data
    for module in (claims, subjects):
        text = Path(module.__file__).read_text(encoding="utf-8")
        assert not [name for name in names if f'"{name}"' in text]
