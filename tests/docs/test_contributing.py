"""The worked examples of CONTRIBUTING.md and docs/arrangements.md, followed to the letter."""

from pathlib import Path

from checkout import copy_project
from documents import code


def test_an_arrangement_of_the_library(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    page, heading = "CONTRIBUTING.md", "An arrangement, from start to end"
    (module,), (rows,) = code(page, "python", heading), code(page, "yaml", heading)
    before = checkout.would_run("results/fig4_flan.pdf")
    name = "workflow/nearfirst/arrange/methods/centroid.py"
    (checkout.folder / name).write_text(module)
    checkout.append_to_config(rows)
    (command,) = code(page, "console", heading)
    assert command.split() == ["snakemake", "-n", "results/my_figure.pdf"]
    jobs = checkout.would_run("results/my_figure.pdf")
    # The new order and the random one, in place of three.
    assert jobs["train"] == before["train"] * 2 // 3
    assert checkout.would_run("results/fig4_flan.pdf") == before
    # The tests of every method hold for it.
    chosen = "centroid or permutation or one_module"
    checkout.python("-m", "pytest", "-q", "tests/unit/arrange/test_registry.py", "-k", chosen)


def test_an_arrangement_of_the_users_own(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    page, heading = "docs/arrangements.md", "Your own"
    (function,), (rows,) = code(page, "python", heading), code(page, "yaml", heading)
    (checkout.folder / "my_orders.py").write_text(function)
    checkout.append_to_config(rows)
    orders = [
        f"results/arrangements/flan/{name}-first/seed-0.parquet" for name in ("short", "long")
    ]
    checkout.snakemake("--cores", "2", *orders)
    with (checkout.folder / "my_orders.py").open("a") as file:
        file.write("\n# edited\n")
    assert checkout.would_run(*orders) == {"arrange": 2}
    assert checkout.would_run("results/my_figure.pdf")["train"] == 3 * 2
