"""Advice on what to train on: chosen on one half of the test set, measured on the other."""

from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from runs import as_rows, save

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import write_table
from nearfirst.data.half import half_mask
from nearfirst.figures.advice import advice, seconds
from nearfirst.figures.kinds.advice import Settings
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.table import read
from nearfirst.figures.run import Key, Run
from nearfirst.figures.settings import ComparisonSettings

IDS = [f"mine_test_{number}" for number in range(1, 17)]
FIRST = half_mask(IDS)
CHOOSE = set(compress(IDS, FIRST))
ORDERS = {"nearest first": ["near-25", "near"], "at random": ["random-25", "random"]}
FIGURE = Settings(dataset="mine", orders=ORDERS, baseline="random")
TRAINED = {"near-25": 25, "near": 100, "random-25": 25, "random": 100}


def runs(losses: dict[str, tuple[float, float]], seeds: int = 2) -> dict[Key, Run]:
    """Make runs from their losses on either half; each instance adds a level from 0 to 1."""
    result = {}
    # In either half, as many instances above the mean as below it.
    sign = np.where(FIRST, FIRST.cumsum(), (~FIRST).cumsum()) % 2 * 2 - 1
    for number, (name, (first, second)) in enumerate(losses.items()):
        for seed in range(seeds):
            end = np.where(FIRST, first, second) + np.linspace(0, 1, len(IDS))
            end = end + 0.01 * seed + 0.05 * number * sign
            # The lowest loss is not at the end.
            steps, ids = pd.Index([0, 5, 9], name="step"), pd.Index(IDS, name="id")
            values = pd.DataFrame([end + 1, end - 1, end], steps, ids)
            task, ones = pd.Series("mine_test", IDS), pd.Series(1, IDS)
            counts = {"trained": TRAINED[name], "pool": 100, "tokens": 10 * TRAINED[name]}
            result[name, seed] = Run(values, task, ones, unit="conversation", counted=counts)
    return result


LOSSES = {"near-25": (1.0, 2.0), "near": (1.5, 1.0), "random-25": (1.6, 2.0), "random": (1.7, 3.0)}


def test_one_half_chooses_and_the_other_is_measured() -> None:
    assert FIRST.sum() == 8
    assert half_mask(IDS[::-1]).tolist() == FIRST[::-1].tolist()
    table = advice(runs(LOSSES), ORDERS, CHOOSE, ComparisonSettings()).set_index("arrangement")
    # `near` is lower on the half that is measured, which must not matter.
    assert table.index[table["chosen"] == 1].tolist() == ["near-25"]
    levels = np.linspace(0, 1, len(IDS))
    assert table["choosing"]["near-25"] == pytest.approx(1.005 + levels[FIRST].mean())
    assert table["loss"]["near-25"] == pytest.approx(2.005 + levels[~FIRST].mean())
    assert (table["low"] < table["loss"]).all()
    assert (table["loss"] < table["high"]).all()
    assert table["difference"][["near", "random-25", "random"]].round(9).tolist() == [1, 0, -1]
    assert np.isnan(table["difference"]["near-25"])
    assert table["p_value"]["random-25"] == 1
    assert table["share"].tolist() == [0.25, 1, 0.25, 1]
    assert (table["steps"] == 9).all()
    assert table["choosing_instances"].iloc[0] + table["instances"].iloc[0] == len(IDS)


def test_means_are_weighted_as_in_the_curves_and_the_level_is_that_of_the_settings() -> None:
    tokens = pd.Series(range(1, 17), IDS)
    some = {key: replace(run, label_tokens=tokens) for key, run in runs(LOSSES).items()}
    tables = [
        advice(some, ORDERS, CHOOSE, ComparisonSettings(confidence=level), "token")
        for level in (0.95, 0.5)
    ]
    table = tables[0].set_index("arrangement")
    end = (some["near", 0].values.iloc[-1] + some["near", 1].values.iloc[-1]) / 2
    for half, column in ((FIRST, "choosing"), (~FIRST, "loss")):
        expected = np.average(end[half], weights=tokens[half])
        assert table[column]["near"] == pytest.approx(expected)
    for prefix in ("", "difference_"):
        wide, narrow = (each[f"{prefix}high"] - each[f"{prefix}low"] for each in tables)
        assert (narrow < wide / 2)[wide.notna()].all()


def test_a_single_run_is_paired_with_every_seed() -> None:
    some = runs(LOSSES)
    del some["near", 1]
    assert advice(some, ORDERS, CHOOSE, ComparisonSettings())["n"].tolist() == [2, 1, 2, 2]


def test_runs_from_elsewhere_unpaired_seeds_and_a_small_test_set() -> None:
    elsewhere = {key: replace(run, counted={}) for key, run in runs(LOSSES).items()}
    with pytest.raises(InputError, match="near-25: its losses do not say what was trained on"):
        advice(elsewhere, ORDERS, CHOOSE, ComparisonSettings())
    other_seeds = {
        (name, seed + (name == "near")): run for (name, seed), run in runs(LOSSES).items()
    }
    with pytest.raises(InputError, match=r"near has seeds \[1, 2\], but near-25 has \[0, 1\]"):
        advice(other_seeds, ORDERS, CHOOSE, ComparisonSettings())
    few = {key: run.select(np.arange(16) < 2) for key, run in runs(LOSSES).items()}
    with pytest.raises(InputError, match="a test set of 2 instances has halves of"):
        advice(few, ORDERS, CHOOSE, ComparisonSettings())


def advised(tmp_path: Path, losses: dict[str, tuple[float, float]], **jobs: float) -> str:
    table = advice(runs(losses), ORDERS, CHOOSE, ComparisonSettings())
    table["baseline"] = (table["arrangement"] == "random").astype(int)
    seconds = {"selection_seconds": np.nan, "training_seconds": np.nan, **jobs}
    table.assign(**seconds).to_csv(tmp_path / "advice.csv", index=False)
    table = read(tmp_path / "advice.csv")
    FIGURE.draw(table, LookSettings())
    return FIGURE.full_caption(table)


def test_the_advice_in_words(tmp_path: Path) -> None:
    text = advised(tmp_path, LOSSES, selection_seconds=2, training_seconds=8)
    assert text.startswith(
        "Train on 25% of the pool, nearest first (25 of 100 instances): held-out loss "
    )
    assert "for all of the pool, at random (100 instances) (difference -1 [-1.1" in text
    assert "A run reads 250 tokens, 25% of the 1,000 of the other, and took 10 s, 2 s of" in text
    assert "From at random at 25%, no difference is detected." in text
    assert "The cheapest of these" not in text
    best = advised(tmp_path, {**LOSSES, "random": (0.5, 0.5)})
    assert "Nothing else that was tried did better on the half that chooses." in best
    assert "A run reads 1,000 tokens." in best


def test_the_programs(tmp_path: Path, program: Any) -> None:
    tables = []
    for (name, seed), run in runs(LOSSES).items():
        identity = {"dataset": "mine", "test": "heldout", "arrangement": name, "seed": seed}
        path = tmp_path / f"{name}-{seed}.parquet"
        tables.append(save(as_rows(run), path, **identity, **run.counted))
    test, csv, pdf = (tmp_path / name for name in ("test.parquet", "advice.csv", "advice.pdf"))
    write_table(pa.table({"id": IDS[::-1]}), test)
    figure = FIGURE.model_dump_json()
    flags = ("--figure", figure, "--test", test, "--output", csv)
    program("figure_numbers.py", *tables, *flags, check=True)
    table = pd.read_csv(csv).set_index("arrangement")
    assert table["chosen"].to_dict() == {"near-25": 1, "near": 0, "random-25": 0, "random": 0}
    expected = 2.005 + np.linspace(0, 1, len(IDS))[~FIRST].mean()
    assert table["loss"]["near-25"] == pytest.approx(expected, rel=1e-5)
    program("plot.py", csv, "--figure", figure, "--output", pdf, check=True)
    assert pdf.with_suffix(".txt").read_text().startswith("Train on 25% of the pool")


def test_seconds_of_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, time in {"a_1-of-2": 1.5, "a_2-of-2": 2, "b": 4}.items():
        Path(f"{name}.tsv").write_text(f"s\th:m:s\n{time}\t0:00:00\n")
    jobs = {"near": {"selection": ["a_*-of-*.tsv", "b.tsv"], "training": ["c.tsv"]}}
    table = seconds(jobs, ["near", "other"])
    assert table["selection_seconds"].tolist()[0] == 7.5
    assert table.isna().to_numpy().tolist() == [[False, True], [True, True]]
