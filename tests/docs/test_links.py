"""Links of the pages lead somewhere, and every page can be found."""

from pathlib import Path, PurePosixPath

import documents
import pytest
from documents import ROOT

PAGES = documents.pages()


def target(page: str, link: str) -> tuple[str, str]:
    """Return the file and the anchor that a link leads to, from the project's folder."""
    name, _, anchor = link.partition("#")
    path = (ROOT / page).parent / name if name else ROOT / page
    return str(PurePosixPath(path.resolve().relative_to(ROOT.resolve()))), anchor


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page: str) -> None:
    for link in documents.links(page):
        if link.startswith(("http://", "https://")):
            continue
        name, anchor = target(page, link)
        assert (ROOT / name).exists(), f"{page}: {link}"
        if anchor:
            assert anchor in documents.anchors(name), f"{page}: {link}"


def test_every_page_of_the_docs_is_on_the_map() -> None:
    found = {target("README.md", link)[0] for link in documents.links("README.md")}
    assert {page for page in PAGES if page.startswith("docs/")} <= found


def test_figures_of_the_docs_are_shown() -> None:
    shown = {target(page, link)[0] for page in PAGES for link in documents.links(page)}
    pictures = {str(path.relative_to(ROOT)) for path in Path(ROOT, "docs").glob("*.png")}
    assert pictures <= shown


def test_anchors_are_those_of_github() -> None:
    found = documents.anchors("docs/cluster.md")
    assert {"when-something-stops", "segments-and-how-much-stays-on-disk", "sacct"} <= found
    assert "dataflan" in documents.anchors("docs/config.md")
