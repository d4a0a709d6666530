"""The closing summary says which skills a base model lacks."""

from pathlib import Path

import pandas as pd

from nearfirst.report.summary import summary


def test_a_missing_skill_is_named_with_its_base_model(tmp_path: Path) -> None:
    table = tmp_path / "base_skills.csv"
    rows = [(0, "opposite", "yes"), (0, "sound", "yes"), (1, "opposite", "no"), (1, "sound", "no")]
    pd.DataFrame(rows, columns=["seed", "skill", "present"]).to_csv(table, index=False)
    pictures = [str(tmp_path / "fig4_flan.pdf")]
    lines = summary(pictures, {}, [str(table)]).splitlines()
    assert [line for line in lines if "lacks" in line] == [
        f"Warning: the base model of seed 1 lacks opposite, sound ({table})."
    ]
    assert "lacks" not in summary(pictures, {}, [str(tmp_path / "none.csv")])
    assert "lacks" not in summary(pictures, {})
