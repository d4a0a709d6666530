"""Another project uses this workflow as a module, as snakedeploy sets it up."""

import subprocess
from pathlib import Path

import pytest
from checkout import Checkout, copy_project

# As snakedeploy 0.17 writes it.
SNAKEFILE = """
configfile: "config/config.yaml"


module nearfirst:
    snakefile:
        github("someone/nearfirst", path="workflow/Snakefile", tag="v1.0.0")
    config:
        config


use rule * from nearfirst
"""
TARGET = "results/fig4_flan.pdf"


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Return a project whose rules come from a git host, here a local folder."""
    origin = copy_project(tmp_path / "hub/nearfirst").folder
    git(origin, "init", "--quiet")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "first")
    git(origin, "tag", "v1.0.0")
    for key, value in {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/hub/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/someone/",
        # Where Snakemake caches what it fetches.
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    folder = tmp_path / "project"
    (folder / "workflow").mkdir(parents=True)
    (folder / "workflow/Snakefile").write_text(SNAKEFILE)
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text((origin / "config/config.yaml").read_text())
    return Checkout(folder)


def test_the_module_has_all_rules_and_programs(deployed: Checkout, tmp_path: Path) -> None:
    here = copy_project(tmp_path / "here")
    assert deployed.would_run(TARGET, "--cores", "1") == here.would_run(TARGET)
    corpus = "results/corpus/flan"
    deployed.snakemake(corpus, "--cores", "1")
    assert (deployed.folder / corpus / "flan_mini.json").stat().st_size
    assert deployed.would_run(corpus, "--cores", "1") == {}


def test_the_catalog_finds_its_files(tmp_path: Path) -> None:
    folder = copy_project(tmp_path).folder
    assert (folder / "config/README.md").is_file()
    assert (folder / "config/config.yaml").read_text() == (folder / "config.yaml").read_text()
