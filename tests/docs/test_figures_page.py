"""The rows and the new kind of figure of docs/figures.md, followed to the letter."""

from pathlib import Path

import pandas as pd
import pytest
from checkout import Checkout, copy_project
from documents import code
from runs import figure, noisy, write_runs

PAGE = "docs/figures.md"
KIND = ("figures/kinds/spread.py", "figures/spread.py")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a copy of the project with the kind and the rows of the page."""
    made = copy_project(tmp_path_factory.mktemp("kind") / "checkout")
    for name, content in zip(KIND, code(PAGE, "python"), strict=True):
        (made.folder / "workflow/nearfirst" / name).write_text(content)
    rows = "".join(block.removeprefix("figures:\n") for block in code(PAGE, "yaml"))
    made.append_to_config(f"figures:\n{rows}")
    return made


def test_the_rules_of_the_new_kind_and_of_the_rows(checkout: Checkout) -> None:
    (command,) = code(PAGE, "console")
    target = command.split()[-1]
    jobs = checkout.would_run(target)
    assert (jobs["spread"], jobs["plot"]) == (1, 1)
    assert "curves" not in jobs
    jobs = checkout.would_run("results/my_other_data.pdf")
    assert (jobs["curves"], jobs["compare"], jobs["plot"]) == (1, 1, 1)


def test_its_programs(checkout: Checkout, tmp_path: Path) -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=2)
    row = figure("spread", "RT", "NFT")
    csv, pdf = tmp_path / "spread.csv", tmp_path / "spread.pdf"
    tables = write_runs(runs, tmp_path)
    for name, files, output in (("figure_numbers", tables, csv), ("plot", [csv], pdf)):
        program = f"workflow/scripts/{name}.py"
        checkout.python(program, *files, "--figure", row, "--output", output)
    table = pd.read_csv(csv)
    expected = [runs["RT", seed].values.loc[10].std() for seed in (0, 1)]
    mean = table[(table["arrangement"] == "RT") & (table["step"] == 10)]["mean"]
    assert mean.tolist() == pytest.approx([sum(expected) / 2], rel=1e-4)
    caption = " ".join(pdf.with_suffix(".txt").read_text().split())
    assert caption.startswith("Standard deviation of the loss over the test instances of flan.")
