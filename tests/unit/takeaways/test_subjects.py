"""What claims are tested on follows from the rows of the config, whatever they are called."""

from typing import Any

import pytest
from checkout import ROOT

from nearfirst.arrange.methods.tma import Settings as TmaSettings
from nearfirst.config import load
from nearfirst.takeaways import claims
from nearfirst.takeaways.claims import BY_NAME, CLAIMS, TAKEAWAYS
from nearfirst.takeaways.subjects import Subject, fits
from nearfirst.takeaways.verdicts import TESTS

PRESETS = ROOT / "workflow/presets"


def by_claim(**config: Any) -> dict[str, list[Subject]]:
    """Return the subjects of each claim in a config."""
    result: dict[str, list[Subject]] = {}
    for subject in claims.subjects(load(config, PRESETS)).subjects:
        result.setdefault(subject.claim, []).append(subject)
    return result


def test_every_claim_has_a_test_and_a_place() -> None:
    assert len(BY_NAME) == len(CLAIMS)
    assert {claim.takeaway for claim in CLAIMS} == set(TAKEAWAYS)
    assert {claim.test for claim in CLAIMS} == set(TESTS)
    assert [claim.takeaway for claim in CLAIMS] == sorted(claim.takeaway for claim in CLAIMS)


@pytest.mark.parametrize("preset", ["mini", "paper"])
def test_all_claims_can_be_tested_with_the_figures_of_the_paper(preset: str) -> None:
    subjects = by_claim(preset=preset)
    assert list(subjects) == list(BY_NAME)
    assert all(row.roles for rows in subjects.values() for row in rows)
    # The data set may be followed by a learning rate.
    where = {name: [row.where.partition(",")[0] for row in rows] for name, rows in subjects.items()}
    assert where["early-rouge1"] == ["niv2"]
    assert where["early-loss"] == ["niv2", "p3", "flan"]
    assert where["tma-far-dialogues-run"] == ["sharegpt", "norobots"]
    assert where["budget-min"] == ["flan_full"]
    # Four figures show the same tests of the same data.
    assert [row.figure for row in subjects["test-samples"]] == ["fig7_seeds"]
    assert subjects["tma-wsd-run"][0].figure == "fig4_flan, fig3_similarity"
    last = {"mini": "[15,20)", "paper": "[25,30)"}[preset]
    assert subjects["rounds"][0].roles[-1].label == last
    near = subjects["tma-near-tasks-run"][0]
    assert [row.arrangement for row in near.others] == ["tma-farthest"]


def test_steps_are_scaled_by_the_form_of_the_data() -> None:
    mine = {"paper_steps": {"niv2": 100, "p3": 50, "flan": 200}}
    steps = [row.paper_steps for row in by_claim(takeaways=mine)["early-loss"]]
    assert steps == [100, 50, 200]
    assert by_claim(preset="small", takeaways=mine)["early-loss"][0].paper_steps == 200


def test_without_its_data_a_claim_is_not_testable() -> None:
    subjects = by_claim(preset="small")
    assert list(subjects) == list(BY_NAME)
    for name in ("rounds", "tma-near-dialogues-run", "reward-blind"):
        assert not subjects[name][0].roles
    # Without a figure of one metric the runs of the tables of metrics will do.
    assert subjects["early-reward"][0].figure == "metric_stability"
    assert subjects["tma-near-tasks-run"][0].where == "evals"


def test_rows_are_found_by_what_they_are() -> None:
    subjects = by_claim(
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
    rows = subjects["tma-near-tasks-end"]
    # Under either schedule, nearest first is compared with a random order trained alike.
    assert sorted((row.where, [role.arrangement for role in row.roles]) for row in rows) == [
        ("flan", ["tma-nearest", "random"]),
        ("flan, constant schedule", ["tma-nearest-constant", "random-constant"]),
        ("mine", ["tma-nearest", "random"]),
        ("mine, constant schedule", ["first", "any"]),
    ]


def test_an_arrangement_fits_only_if_its_other_keys_are_defaults() -> None:
    free: Any = {"within_round": "pool", "schedule": "constant", "learning_rate": 1e-4}
    assert fits(TmaSettings(), claims.TMA)
    assert fits(TmaSettings(**free), claims.TMA)
    assert not fits(TmaSettings(order="farthest"), claims.TMA)
    assert not fits(TmaSettings(budget=10), claims.TMA)
    assert not fits(TmaSettings(rounds=(0, 5)), claims.TMA)
    assert fits(TmaSettings(budget=10), claims.BOTH_NEAREST)
    assert not fits(TmaSettings(budget=10, select="first"), claims.BOTH_NEAREST)
    assert fits(TmaSettings(budget=99, select="first"), claims.MIN)
    assert not fits(TmaSettings(), claims.RANDOM)
