"""Facts about the numbers of a figure in its caption."""

import numpy as np
import pandas as pd
import pytest

from nearfirst.figures.plot.curves import facts


def curve(label: str, last: int = 20, n: int = 3, **cells: object) -> pd.DataFrame:
    table = pd.DataFrame({"step": [0, last], "mean": 1.0, "low": np.nan, "high": np.nan, "n": n})
    return table.assign(
        **{"arrangement": label, "panel": "", "quantity": "loss", "confidence": 0.95, **cells}
    )


def caption(*curves: pd.DataFrame, series: str = "arrangement") -> str:
    return " ".join(facts(pd.concat(curves), series))


def test_seeds_and_single_runs() -> None:
    text = caption(curve("NFT", instances=80.0, left_out=0.0), curve("RT", instances=80.0))
    for fact in ("means over 3 seeds", "95% intervals", "instances per curve: 80.", "step: 20."):
        assert fact in text
    assert "left out" not in text
    text = caption(curve("NFT", n=1), curve("RT", n=5, confidence=0.999))
    assert "99.9% intervals. One run, without an interval: NFT." in text
    text = caption(curve("NFT", n=1, seed_0=1.0), curve("RT", n=3, seed_0=1.0))
    assert "means over 3 seeds, thin lines single runs. One run: NFT." in text
    assert caption(curve("NFT", n=1)).startswith("Each curve is one run, without an interval.")


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (
            {"trained": 660, "without_label": 26},
            "taught nothing, because truncation removed their labels: 26 of 660.",
        ),
        ({"rounds": 25}, "Rounds of TMA in the pool: 25. "),
        (
            {"embedded": 300, "cut": 150, "distinct": 128},
            "the encoder cut: 150 of 300; different embeddings: 128. ",
        ),
        (
            {"schedule": "cosine", "first_share": 0.382, "last_share": 0.013, "rate_sum": 0.00965},
            "falling, cosine with the sum 0.00965, of which the first fifth of the steps has 38.2% "
            "and the last 1.3%.",
        ),
    ],
)
def test_sentences_of_what_is_known(cells: dict[str, object], sentence: str) -> None:
    assert sentence in caption(curve("NFT", panel="falling", **cells))
    assert "truncation" not in caption(curve("NFT", trained=660, without_label=0))


def test_what_differs_between_curves_is_a_range() -> None:
    one = curve("a", dataset="P3", instances=118, left_out=2)
    two = curve("a", 192, n=5, dataset="NIV2", instances=120, left_out=np.nan)
    text = caption(one, two, series="dataset")
    assert "over 3 to 5 seeds" in text
    assert "per curve: 118 to 120." in text
    assert "left out because truncation removed their answer: 2." in text
    assert text.endswith("Last step: 20 to 192.")
    assert "answer or they have no reference: 2." in caption(one.assign(quantity="score"))
