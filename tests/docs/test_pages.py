"""Generated pages and pictures are what their programs make; links lead somewhere; Python runs."""

import re
from pathlib import Path
from typing import Any

import documents
import numpy as np
import pytest
from documents import FOLLOWED, ROOT, generator, read_command_line
from matplotlib.image import imread

DOCS = ROOT / "docs"
PAGES = documents.pages()


def target(page: str, link: str) -> tuple[str, str]:
    """Return the file and the anchor that a link leads to, from the project's folder."""
    name, _, anchor = link.partition("#")
    path = (ROOT / page).parent / name if name else ROOT / page
    return str(path.resolve().relative_to(ROOT.resolve())), anchor


def targets(page: str) -> list[tuple[str, str]]:
    return [target(page, link) for link in documents.links(page) if "://" not in link]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page: str) -> None:
    for name, anchor in targets(page):
        assert (ROOT / name).exists(), f"{page}: {name}"
        assert not anchor or anchor in documents.anchors(name), f"{page}: {name}#{anchor}"


def test_every_page_and_picture_can_be_found() -> None:
    on_the_map = {name for name, _ in targets("README.md")}
    assert {page for page in PAGES if page.startswith("docs/")} <= on_the_map
    shown = {name for page in PAGES for name, _ in targets(page)}
    assert {str(path.relative_to(ROOT)) for path in DOCS.glob("*.png")} <= shown


def test_the_page_of_programs_is_what_they_say() -> None:
    page = (DOCS / "commands.md").read_text()
    assert page == generator("generate_commands").render(), "run `make docs`"
    programs = sorted(path.name for path in (ROOT / "workflow/scripts").glob("*.py"))
    assert re.findall(r"^## `(.+)`$", page, re.MULTILINE) == programs


def test_examples_in_a_help_are_what_the_program_takes() -> None:
    blocks, _ = documents.split("docs/commands.md")
    # As in "  arrange.py --train …"; a usage begins with its own word.
    examples = [
        words
        for block in blocks
        for at in re.finditer(r"^ +\w+\.py [^\[\n]", block.text, re.MULTILINE)
        if (words := next(documents.commands(block.text[at.start() :]))[0])
    ]
    assert {"arrange.py", "explore.py"} <= {program for program, *_ in examples}
    for program, *words in examples:
        read_command_line(program, words)


def test_the_drawing_of_tma_is_what_its_program_draws(tmp_path: Path) -> None:
    generator("draw_tma").draw(tmp_path / "tma.png")
    # Pixels: what else the file holds is the library's.
    drawn, there = imread(tmp_path / "tma.png"), imread(DOCS / "tma.png")
    np.testing.assert_array_equal(drawn, there, err_msg="run `make docs`")


@pytest.mark.parametrize("page", PAGES)
def test_python_in_a_page_runs(page: str) -> None:
    if page in FOLLOWED:
        assert page in Path(__file__).with_name(FOLLOWED[page]).read_text()
        return
    names: dict[str, Any] = {}
    for block in documents.split(page)[0]:
        if block.language == "python":
            exec(compile(block.text, page, "exec"), names)
