"""The worked example of docs/metrics.md, followed to the letter."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from checkout import Checkout, copy_project
from documents import code

from nearfirst.common.parquet import INSTANCES, write_table
from nearfirst.generate.table import ANSWERS

PAGE = "docs/metrics.md"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a copy of the project with the metric of the page."""
    made = copy_project(tmp_path_factory.mktemp("metric") / "checkout")
    library = made.folder / "workflow/nearfirst"
    (function, lines), (rows,) = code(PAGE, "python"), code(PAGE, "yaml")
    (library / "score/length_ratio.py").write_text(function)
    there = lines.splitlines(keepends=True)[0]
    registry = (library / "metrics.py").read_text()
    assert registry.count(there) == 1
    (library / "metrics.py").write_text(registry.replace(there, lines))
    made.append_to_config(rows)
    return made


def test_no_test_fails_for_a_new_metric(checkout: Checkout) -> None:
    tests = ("tests/unit/score", "tests/unit/figures/test_metrics.py")
    checkout.python("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests)


def test_the_metric_is_a_column_of_the_scores(checkout: Checkout, tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    references = ["one two three four", "one"]
    instances = pa.table([["x"], ["t"], [talk], [references]], schema=INSTANCES)
    answers = pa.table([[0, 10], ["x"] * 2, ["t"] * 2, ["one two three", " "]], schema=ANSWERS)
    for name, table in (("instances", instances), ("generations", answers)):
        write_table(table, tmp_path / f"{name}.parquet")
    flags = [("--instances", "instances"), ("--generations", "generations"), ("--output", "scores")]
    files = [part for flag, name in flags for part in (flag, tmp_path / f"{name}.parquet")]
    checkout.python("workflow/scripts/score.py", *files)
    assert pq.read_table(tmp_path / "scores.parquet")["length_ratio"].to_pylist() == [0.75, 0]


def test_answers_are_scored_again(checkout: Checkout) -> None:
    (command,) = code(PAGE, "console")
    snakemake, dry_run, target = command.split()
    assert (snakemake, dry_run) == ("snakemake", "-n")
    # Each rule with its input files; an edited file reruns the rules that name it.
    graph = checkout.snakemake("--filegraph", target).stdout
    rules = dict(re.findall(r'point-size="18">(\w+)<(.*?)>\]', graph, re.DOTALL))
    assert "score/length_ratio.py" in rules["score"]
