"""All comparison figures in one table, from the tables that compare.py writes."""

import pandas as pd
import pytest
from runs import noisy

from nearfirst.figures.comparison.holm import holm
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.tables.comparisons import join_comparisons


@pytest.fixture(scope="module")
def figures() -> dict[str, pd.DataFrame]:
    """Two figures, one with labels that pandas would take for missing values."""
    one = noisy({"NFT": -0.5, "RT": 0.0, "FFT": 0.2}, seeds=3)
    other = noisy({"NA": -0.4, "none": 0.0}, seeds=1, steps=(0, 10, 20, 30))
    return {
        "fig4": paired_comparison(one, "NFT", 0.95, 200, 0),
        "own": paired_comparison(other, "NA", 0.9, 200, 0, "reward"),
    }


def test_one_family_over_all_figures(figures: dict[str, pd.DataFrame]) -> None:
    table = join_comparisons(figures)
    assert table["figure"].tolist() == ["fig4"] * 6 + ["own"] * 4
    expected = holm(pd.concat(figures.values())["p_crossed"].to_numpy())
    assert table["p_overall"].tolist() == pytest.approx(expected)
    assert (table["p_overall"] >= table["p_adjusted"]).all()
    for name, part in table.groupby("figure"):
        kept = part.drop(columns=["figure", "p_overall"]).reset_index(drop=True)
        pd.testing.assert_frame_equal(kept, figures[str(name)])
