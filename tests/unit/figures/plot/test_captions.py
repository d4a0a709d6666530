"""What captions say of the numbers of a figure."""

import numpy as np
import pandas as pd

from nearfirst.figures.plot import correlations
from nearfirst.figures.plot.curves import facts


def curve(label: str, last: int = 20, n: int = 3, **cells: object) -> pd.DataFrame:
    table = pd.DataFrame({"step": [0, last], "mean": 1.0, "low": np.nan, "high": np.nan, "n": n})
    return table.assign(
        **{"arrangement": label, "panel": "", "quantity": "loss", "confidence": 0.95, **cells}
    )


def said(*curves: pd.DataFrame, series: str = "arrangement") -> str:
    return " ".join(facts(pd.concat(curves), series))


def test_seeds_instances_interval_and_last_step() -> None:
    counts = {"instances": 80.0, "left_out": 0.0}
    assert said(curve("NFT", **counts), curve("RT", **counts)) == (
        "Curves are means over 3 seeds, bands their 95% intervals. "
        "Test instances per curve: 80. Last step: 20."
    )


def test_single_runs_are_named() -> None:
    assert said(curve("NFT", n=1), curve("RT", n=5, confidence=0.999)) == (
        "Curves are means over 5 seeds, bands their 99.9% intervals. "
        "One run, without an interval: NFT. Last step: 20."
    )
    assert said(curve("NFT", n=1), curve("RT", n=1)) == (
        "Each curve is one run, without an interval. Last step: 20."
    )


def test_what_differs_between_curves_is_a_range() -> None:
    one = curve("a", dataset="P3", instances=118, left_out=2)
    two = curve("a", 192, n=5, dataset="NIV2", instances=120, left_out=np.nan)
    text = said(one, two, series="dataset")
    assert "over 3 to 5 seeds" in text
    assert "per curve: 118 to 120." in text
    assert "left out because truncation removed their answer: 2." in text
    assert text.endswith("Last step: 20 to 192.")
    assert "answer or they have no reference: 2." in said(one.assign(quantity="score"))


def test_few_tasks_are_named_and_many_counted() -> None:
    some = [curve("a", panel=f"{i}", task=f"task{i}") for i in range(6)]
    assert "Unseen tasks shown: task0, task1, task2, task3, task4, task5. " in said(*some)
    assert "Unseen tasks shown: 7. " in said(*some, curve("a", panel="9", task="task9"))


def test_correlations() -> None:
    rows = {"measure": ["m"] * 2, "statistic": ["pooled", "over tasks"], "mean": [0.5, np.nan]}
    counts = {"n": 16, "runs": 9, "checkpoints": 19, "left_out": [0, 4], "confidence": 0.9}
    assert " ".join(correlations.facts(pd.DataFrame({**rows, **counts}))) == (
        "Bars are 90% bootstrap intervals. Tasks: 16. Runs: 9. Checkpoints: 19. Series left out "
        "because all their distances or losses are equal: up to 4 of a mean."
    )
