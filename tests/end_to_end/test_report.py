"""The report: one self-contained page of all figures, with their captions and configs."""

import base64
import html
import json
import os
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import ROOT, Checkout, make

from nearfirst.config import load

FIGURES = load({"preset": "tiny"}, ROOT / "workflow/presets").figures
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")


@pytest.fixture(scope="module")
def page(everything: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of all targets."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    everything.snakemake("--report", str(path))
    return path


def part(page: Path, name: str) -> Any:
    """Return a part of the page's data."""
    match = re.search(
        rf'<script id="{name}">\s*var \w+ = (.*?);\s*</script>', page.read_text(), re.S
    )
    assert match, name
    return json.loads(match[1])


def words(markup: str) -> str:
    """Return the text of HTML, with white space collapsed."""
    return " ".join(html.unescape(re.sub("<[^>]*>", "", markup)).split())


def test_every_figure_has_its_heading_caption_and_config(everything: Checkout, page: Path) -> None:
    under = {key: [*chain(*parts.values())] for key, parts in part(page, "categories").items()}
    entries = part(page, "results")
    for name, figure in FIGURES.items():
        path = f"results/{name}.svg"
        assert path in under[figure.heading()]
        shown = words(entries[path]["caption"])
        results = everything.folder / "results"
        record = (results / f"{name}.yaml").read_text()
        assert words((results / f"{name}.txt").read_text()) in shown, name
        assert words(record) in shown, name
        assert yaml.safe_load(record)["seeds"] == [0], name
        content = base64.b64decode(entries[path]["data_uri"].partition(";base64,")[2])
        assert content == (results / f"{name}.svg").read_bytes(), name
    assert min(under, key=str.lower).startswith("At a glance")
    assert under[min(under)] == ["results/takeaways.svg"]
    names = ("fig4_flan_paired", "table4", "generalization", "reward_accuracy")
    assert {f"results/{name}.csv" for name in names} <= {*under["Tables"]}
    assert "NFT-RT" in entries["results/fig4_flan_paired.csv"]["caption"]
    assert {run["rule"] for run in part(page, "runtimes")["data"]["values"]} >= {"train", "plot"}


def test_the_page_fetches_nothing(page: Path) -> None:
    text = page.read_text()
    tags = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", text)
    assert tags
    assert not [tag for tag in tags if re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", tag)]
    assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", text)


def test_the_recorded_config_makes_the_figure_again(finished: Checkout) -> None:
    file = str(finished.folder / "results/fig4_flan.yaml")
    assert finished.would_run("results/fig4_flan.pdf", "--configfile", file) == {}


def test_make_report_shows_figures_of_other_configs(copy_of_finished: Checkout) -> None:
    curves = "curves: {near: tma-nearest, RT: random}, reference: RT"
    row = f"figures={{mine: {{like: fig4_flan, {curves}}}}}"
    copy_of_finished.snakemake("results/mine.pdf", "--config", row)
    done = make(copy_of_finished.folder, "--assume-old=setup", "report")
    assert done.returncode == 0, done.stderr
    shown = part(copy_of_finished.folder / "report.html", "results")
    assert {"results/mine.svg", "results/fig4_flan.svg"} <= shown.keys()


def test_a_browser_shows_it(page: Path, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None and not os.environ.get("NEARFIRST_REQUIRE_CHROMIUM"):
        pytest.skip("no Chromium here")
    assert browser, "NEARFIRST_REQUIRE_CHROMIUM is set, and there is no Chromium"
    shown = tmp_path / "page.html"
    picture = part(page, "results")["results/fig4_flan.svg"]["data_uri"]
    # As with two clicks: the picture, then its caption. The page is loaded once pictures are drawn.
    shown.write_text(
        page.read_text()
        + f"""<img id="probe" style="display: none" src="{picture}"><script>
        window.addEventListener("load", function click() {{
          if (!app) return setTimeout(click, 50);
          const path = "results/fig4_flan.svg", uri = results[path].data_uri;
          const menu = document.querySelector("#app").innerText;
          const view = {{content: "img", contentPath: uri, resultPath: path}};
          ReactDOM.flushSync(() => app.setView(view));
          ReactDOM.flushSync(() => app.showResultInfo(path));
          const mark = document.createElement("pre");
          mark.id = "seen";
          mark.textContent = JSON.stringify({{
            menu: menu,
            shown: document.querySelector("#app div > img[src^='data:image/svg']").src === uri,
            width: document.querySelector("#probe").naturalWidth,
          }});
          document.body.append(mark);
        }});
        </script>"""
    )
    dom = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu"),
            *("--virtual-time-budget=5000", "--dump-dom", f"file://{shown}"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=300,
        # The page may not fetch anything.
        env=os.environ | {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
    ).stdout
    mark = re.search(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)
    assert mark, dom[-2000:]
    seen = json.loads(html.unescape(mark[1]))
    listed = {" ".join(line.split()) for line in seen["menu"].splitlines()}
    assert listed >= {" ".join(heading.split()) for heading in part(page, "categories")}
    assert seen["shown"]
    assert seen["width"] > 100, "the browser does not draw the picture"
    rendered = dom.split('<div id="app">')[1]
    assert "Mean test loss on generated data" in rendered
    assert "preset: tiny" in words(rendered)
