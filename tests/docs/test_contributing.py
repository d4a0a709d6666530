"""The worked examples of CONTRIBUTING.md and docs/arrangements.md, followed to the letter."""

import subprocess
import sys
from pathlib import Path

from checkout import Checkout, copy_project
from documents import code


def add_to_config(checkout: Checkout, rows: str) -> None:
    path = checkout.folder / "config.yaml"
    path.write_text(f"{path.read_text()}\n{rows}")


def test_an_arrangement_of_the_library(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    page, heading = "CONTRIBUTING.md", "An arrangement, from start to end"
    (module,), (rows,) = code(page, heading, "python"), code(page, heading, "yaml")
    before = checkout.would_run("results/fig4_flan.pdf")
    name = "workflow/nearfirst/arrange/methods/centroid.py"
    (checkout.folder / name).write_text(module)
    add_to_config(checkout, rows)
    (command,) = code(page, heading, "console")
    assert command.split() == ["snakemake", "-n", "results/my_figure.pdf"]
    jobs = checkout.would_run("results/my_figure.pdf")
    # One run of the new order, which has no seed, and the random ones.
    assert jobs["train"] == before["train"] // 3 + 1
    assert checkout.would_run("results/fig4_flan.pdf") == before
    # The tests of every method hold for it.
    chosen = "centroid or permutation or one_module"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/unit/arrange/test_registry.py", "-k", chosen],
        cwd=checkout.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_an_arrangement_of_the_users_own(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    page, heading = "docs/arrangements.md", "Your own"
    (function,), (rows,) = code(page, heading, "python"), code(page, heading, "yaml")
    (checkout.folder / "my_orders.py").write_text(function)
    add_to_config(checkout, rows)
    orders = [
        f"results/arrangements/flan/{name}-first/seed-0.parquet" for name in ("short", "long")
    ]
    checkout.snakemake("--cores", "2", *orders)
    with (checkout.folder / "my_orders.py").open("a") as file:
        file.write("\n# edited\n")
    assert checkout.would_run(*orders) == {"arrange": 2}
    assert checkout.would_run("results/my_figure.pdf")["train"] == 2 + 2
