"""The worked examples of CONTRIBUTING.md and docs/arrangements.md, followed to the letter."""

import json
import re
from pathlib import Path

from checkout import copy_project
from documents import code

from nearfirst.data.instances import read_instances

SPLIT = "specialist-0"


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


def test_a_published_form(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    page, heading = "CONTRIBUTING.md", "A data set in another published form"
    (module,), (rows,) = code(page, "python", heading), code(page, "yaml", heading)
    before = checkout.would_run("results/fig4_flan.pdf")
    (checkout.folder / "workflow/nearfirst/data/formats/dolly.py").write_text(module)
    checkout.append_to_config(rows)
    with (checkout.folder / "databricks-dolly-15k.jsonl").open("w") as file:
        for number in range(24):
            row = {"instruction": f"Add {number} to it.", "context": "It is 1." * (number % 2)}
            row |= {"response": f"It is {number + 1}.", "category": f"task {number % 6}"}
            file.write(f"{json.dumps(row)}\n")
    (command,) = code(page, "console", heading)
    assert command.split()[:2] == ["snakemake", "-n"]
    assert checkout.would_run(*command.split()[2:])["train"] == before["train"]
    assert checkout.would_run("results/fig4_flan.pdf") == before
    sampled = {split: f"results/instances/my_dolly/{split}.parquet" for split in ("train", SPLIT)}
    checkout.snakemake("--cores", "2", *sampled.values())
    tables = {split: read_instances(checkout.folder / path) for split, path in sampled.items()}
    tasks = {split: set(table["task"].to_pylist()) for split, table in tables.items()}
    assert [len(tasks["train"]), len(tasks[SPLIT]), len(set.union(*tasks.values()))] == [4, 2, 6]
    asked = [turns[0]["content"] for turns in tables["train"]["messages"].to_pylist()]
    assert {text.partition("Add")[0] for text in asked} == {"", "It is 1.\n\n"}


def test_another_loss(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    (function,) = code("CONTRIBUTING.md", "python", "Another loss")
    path = checkout.folder / "workflow/nearfirst/model/loss.py"
    old = re.search(r"^def token_losses.*?(?=^def )", path.read_text(), re.DOTALL | re.MULTILINE)
    assert old
    path.write_text(path.read_text().replace(old[0], f"{function}\n\n"))
    # Of two words the right one has 0.95 of the smoothed label.
    (checkout.folder / "check.py").write_text(
        "import math, torch\n"
        "from nearfirst.model.loss import IGNORED, token_losses\n"
        "found = token_losses(torch.tensor([[math.log(3), 0.0]] * 2), torch.tensor([0, IGNORED]))\n"
        "right = -0.95 * math.log(3 / 4) - 0.05 * math.log(1 / 4)\n"
        "assert torch.allclose(found, torch.tensor([right, 0.0])), found\n"
    )
    checkout.python("check.py")
