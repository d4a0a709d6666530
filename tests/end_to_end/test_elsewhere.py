"""Checkpoints made elsewhere, from folders and from a hub, are measured like those made here."""

from pathlib import Path

import pandas as pd
import pytest
from checkout import Checkout
from hub_server import Hub, serving

LOSSES = "results/losses/flan/specialist-0"
TARGETS = ("results/beside.pdf", f"{LOSSES}/suite/seed-0/0-end.parquet")
CONFIG = """
checkpoints:
  theirs: {{path: "{run}/step-{{step}}"}}
  suite: {{source: hub, name: someone/suite, steps: {{7: "{commit}"}}}}
figures:
  beside: {{like: fig4_flan, curves: {{A: theirs, NFT: tma-nearest}}, reference: A}}
"""


def losses(checkout: Checkout, run: str) -> pd.DataFrame:
    (path,) = (checkout.folder / LOSSES / run).glob("*.parquet")
    return pd.read_parquet(path)


def test_the_same_weights_have_the_same_losses(
    copy_of_finished: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = copy_of_finished
    (run,) = (checkout.folder / "results/checkpoints/flan/tma-nearest/seed-0").iterdir()
    Path(checkout.folder / "runs").symlink_to(run)
    last = sorted(run.glob("step-*"))[-1]
    hub = Hub("someone/suite", {path.name: path.read_bytes() for path in last.iterdir()})
    checkout.append_to_config(CONFIG.format(run="runs", commit=hub.commit))
    with serving(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        checkout.snakemake(*TARGETS)
    ours, theirs = losses(checkout, "tma-nearest/seed-0"), losses(checkout, "theirs/seed-0")
    pd.testing.assert_frame_equal(ours, theirs)
    end = ours[ours["step"] == ours["step"].max()].reset_index(drop=True)
    suite = losses(checkout, "suite/seed-0").drop(columns="step")
    pd.testing.assert_frame_equal(suite, end.drop(columns="step"))
    caption = " ".join((checkout.folder / "results/beside.txt").read_text().split())
    assert "A was trained elsewhere: runs/step-{step}." in caption
    assert checkout.would_run(*TARGETS) == {}
