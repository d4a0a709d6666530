"""Pages and pictures that are made are what their programs make; Python in a page runs."""

import re
import shlex
from pathlib import Path
from typing import Any

import documents
import numpy as np
import pytest
from documents import ROOT, generator, read_command_line
from matplotlib.image import imread

DOCS = ROOT / "docs"
PROGRAMS = sorted(path.name for path in (ROOT / "workflow/scripts").glob("*.py"))
# Code that is no program of its own, and the test that runs it.
ELSEWHERE = {
    "docs/arrangements.md": "tests/docs/test_contributing.py",
    "docs/figures.md": "tests/docs/test_figures_page.py",
    "docs/metrics.md": "tests/docs/test_metrics_page.py",
}


def test_the_page_of_programs_is_what_they_say() -> None:
    page = (DOCS / "commands.md").read_text()
    assert page == generator("generate_commands").render(), "run `make docs`"
    assert re.findall(r"^## `(.+)`$", page, re.MULTILINE) == PROGRAMS


def test_examples_in_a_help_are_what_the_program_takes() -> None:
    blocks, _ = documents.split("docs/commands.md")
    text = "\n".join(block.text for block in blocks).replace("\\\n", " ")
    # As in "  arrange.py --train …"; a usage begins with its own word.
    lines = re.findall(r"^ +(\w+\.py --.*)$", text, re.MULTILINE)
    examples = [shlex.split(line) for line in lines]
    assert {"arrange.py", "explore.py"} <= {program for program, *_ in examples}
    for program, *words in examples:
        read_command_line(program, words)


def test_a_line_that_a_program_does_not_take_is_seen() -> None:
    line = ["--method", "tma", "--output", "A.parquet"]
    assert read_command_line("arrange.py", line).method == "tma"
    with pytest.raises(SystemExit):
        read_command_line("arrange.py", [*line, "--nearest"])


def test_the_drawing_of_tma_is_what_its_program_draws(tmp_path: Path) -> None:
    generator("draw_tma").draw(tmp_path / "tma.png")
    # Pixels: what else the file holds is the library's.
    drawn, there = imread(tmp_path / "tma.png"), imread(DOCS / "tma.png")
    np.testing.assert_array_equal(drawn, there, err_msg="run `make docs`")


def test_the_caption_of_the_drawing_says_what_it_shows() -> None:
    program = generator("draw_tma")
    train, test = program.points()
    sizes = np.bincount(program.tma(train, test, measure="euclidean"))[1:]
    caption = (DOCS / "tma.md").read_text()
    assert f"{len(train)} training points and three test points" in caption
    assert len(test) == sizes[0] == 3
    assert "in rounds 6 and 12 both want the same one" in " ".join(caption.split())
    assert [number for number, size in enumerate(sizes, 1) if size == 2][:2] == [6, 12]


@pytest.mark.parametrize("page", documents.pages())
def test_python_in_a_page_runs(page: str) -> None:
    if page in ELSEWHERE:
        assert page in (ROOT / ELSEWHERE[page]).read_text()
        return
    names: dict[str, Any] = {}
    for block in documents.split(page)[0]:
        if block.language == "python":
            exec(compile(block.text, f"{block.page}:{block.line}", "exec"), names)
