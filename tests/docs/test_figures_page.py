"""The rows and the new kind of figure of docs/figures.md, followed to the letter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from checkout import ROOT, Checkout, copy_project
from runs import figure, noisy, write_runs

KIND = ("figures/kinds/spread.py", "figures/spread.py", "../scripts/spread.py")


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page."""
    page = (ROOT / "docs/figures.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a copy of the project with the kind and the rows of the page."""
    made = copy_project(tmp_path_factory.mktemp("kind") / "checkout")
    for name, content in zip(KIND, blocks("python"), strict=True):
        (made.folder / "workflow/nearfirst" / name).write_text(content)
    rows = "".join(block.removeprefix("figures:\n") for block in blocks("yaml"))
    with (made.folder / "config.yaml").open("a") as file:
        file.write(f"\nfigures:\n{rows}")
    return made


def program(checkout: Checkout, name: str, *arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, f"workflow/scripts/{name}", *map(str, arguments)],
        cwd=checkout.folder,
        env={**os.environ, "PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_rules_of_the_new_kind_and_of_the_rows(checkout: Checkout) -> None:
    (command,) = blocks("console")
    target = command.split()[-1]
    found = checkout.would_run(target)
    assert (found["spread"], found["plot"]) == (1, 1)
    assert "curves" not in found
    found = checkout.would_run("results/my_other_data.pdf")
    assert (found["curves"], found["compare"], found["plot"]) == (1, 1, 1)


def test_its_programs(checkout: Checkout, tmp_path: Path) -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=2)
    row = figure("spread", "RT", "NFT")
    csv, pdf = tmp_path / "spread.csv", tmp_path / "spread.pdf"
    program(checkout, "spread.py", *write_runs(runs, tmp_path), "--figure", row, "--output", csv)
    program(checkout, "plot.py", csv, "--figure", row, "--output", pdf)
    table = pd.read_csv(csv)
    expected = [runs["RT", seed].values.loc[10].std() for seed in (0, 1)]
    found = table[(table["arrangement"] == "RT") & (table["step"] == 10)]["mean"]
    assert found.tolist() == pytest.approx([sum(expected) / 2], rel=1e-4)
    caption = " ".join(pdf.with_suffix(".txt").read_text().split())
    assert caption.startswith("Standard deviation of the loss over the test instances of flan.")
