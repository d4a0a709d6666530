"""All comparisons in one table, from the tables that compare.py writes."""

import pandas as pd
from runs import noisy

from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.settings import ComparisonSettings
from nearfirst.tables.comparisons import join_comparisons


def test_one_family_over_all_figures() -> None:
    one = noisy({"NFT": -0.5, "RT": 0.0, "FFT": 0.2}, seeds=3)
    # Labels that pandas would take for missing values.
    other = noisy({"NA": -0.4, "none": 0.0}, seeds=1, steps=(0, 10, 20, 30))
    settings = ComparisonSettings(resamples=200)
    figures = {
        "fig4": paired_comparison(one, "NFT", settings),
        "own": paired_comparison(other, "NA", settings, "reward"),
    }
    table = join_comparisons(figures)
    assert table["figure"].tolist() == ["fig4"] * 8 + ["own"] * 5
    primary = table["question"] == "run"
    expected = (2 * table.loc[primary, "p_value"]).clip(upper=1)
    assert table.loc[primary, "p_overall"].tolist() == expected.tolist()
    assert table.loc[~primary, "p_overall"].isna().all()
    for name, part in table.groupby("figure"):
        kept = part.drop(columns=["figure", "p_overall"]).reset_index(drop=True)
        pd.testing.assert_frame_equal(kept, figures[str(name)])
