"""The programs of the page: from tables of runs to a CSV, and from it to a page and its text."""

import re
from collections.abc import Sequence
from math import inf
from pathlib import Path

import pandas as pd
import pytest
from programs import Program
from runs import noisy, write_runs

from nearfirst.figures.figure import Curve, RunId
from nearfirst.figures.look import LookSettings
from nearfirst.figures.settings import ComparisonSettings
from nearfirst.takeaways.claims import TAKEAWAYS
from nearfirst.takeaways.evidence import Method
from nearfirst.takeaways.plot import draw_takeaways, scale
from nearfirst.takeaways.subjects import Subject, Subjects
from nearfirst.takeaways.verdicts import read_takeaways, takeaways

TASKS = [f"task-{i % 10}" for i in range(30)]
ROLES = [Curve(name, "flan", "specialist-0", name) for name in ("NFT", "RT", "FFT")]
SUBJECTS = [
    Subject(claim="early-rouge1"),
    *(
        Subject(claim=claim, where="flan", figure="fig", roles=roles, metrics=["loss"])
        for claim, roles in (
            ("tma-near-tasks-run", ROLES[:2]),
            ("tma-near-tasks-end", ROLES[:2]),
            ("budget-random", ROLES),
        )
    ),
]
RUNS = noisy({"NFT": -4.0, "RT": 0.0, "FFT": 0.1}, seeds=2, tasks=TASKS)


def expected_table() -> pd.DataFrame:
    by_id = {RunId("flan", "specialist-0", *key): run for key, run in RUNS.items()}
    method = Method(comparison=ComparisonSettings(resamples=300))
    return takeaways(SUBJECTS, {"loss": by_id}, {}, method)


def test_from_tables_to_a_page(program: Program, tmp_path: Path) -> None:
    paths = write_runs(RUNS, tmp_path)
    table = tmp_path / "takeaways.csv"
    settings = ("--comparison", '{"resamples": 300}')
    subjects = Subjects(subjects=SUBJECTS).canonical()
    done = program("takeaways.py", *paths, "--subjects", subjects, *settings, "--output", table)
    assert done.returncode == 0, done.stderr
    result = read_takeaways(table)
    pd.testing.assert_frame_equal(result, expected_table(), check_dtype=False, rtol=1e-5)
    assert result["verdict"].tolist()[:2] == ["not testable here", "confirmed"]

    page = tmp_path / "page.pdf"
    done = program("plot_takeaways.py", "--table", table, "--output", page)
    assert done.returncode == 0, done.stderr
    assert page.read_bytes().startswith(b"%PDF")
    parts = page.with_suffix(".txt").read_text(encoding="utf-8").split("\n\n")
    assert len(parts) == 1 + len(result)
    assert re.search(r"Of 4 rows: [12]\sconfirmed", parts[0])
    assert parts[2].startswith("5. Nearest first by TMA has a lower test loss")


@pytest.mark.parametrize(
    ("effect", "region", "expected"),
    [
        # Distances to 0, in units of the largest.
        ((-1, -2, 0.5), (-inf, 0), (0.5, -0.25, 1)),
        ((2, 1, 4), (-inf, 0), (-0.5, -1, -0.25)),
        ((0.75, 0.25, 1), (0.5, 1), (0.5, -0.5, 1)),
        # To the nearer bound of -0.2 and 0.2: 0.1, between 0.2 (it contains 0) and -0.2.
        ((0.1, -0.1, 0.4), (-0.2, 0.2), (0.5, -1, 1)),
        ((20, 10, inf), (-inf, 10), (-1, -1, 0)),
        ((10, 10, 10), (-inf, 10), (0, 0, 0)),
    ],
)
def test_the_scale_of_a_row(
    effect: Sequence[float], region: Sequence[float], expected: Sequence[float]
) -> None:
    names = ("effect", "low", "high", "region_low", "region_high")
    row = pd.Series(dict(zip(names, (*effect, *region), strict=True)))
    assert scale(row) == pytest.approx(tuple(expected))


def test_every_row_and_takeaway_is_on_the_page() -> None:
    (axes,) = draw_takeaways(expected_table(), LookSettings()).axes
    texts = [text.get_text() for text in axes.texts]
    for number, title in TAKEAWAYS.items():
        assert f"{number}. {title}" in texts
    assert "not testable here" in texts
    assert sum(text == "fig" for text in texts) == 3
    assert any(text.startswith("confirmed, p") for text in texts)
