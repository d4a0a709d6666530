"""Published files are fetched from a hub on loopback by the rules, and sampled."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from checkout import copy_project, flan_rows
from hub_server import Hub, serving

TARGET = "results/instances/flan/train.parquet"


def test_fetched_data_are_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = copy_project(tmp_path / "checkout")
    content = json.dumps(flan_rows()).encode()
    hub = Hub("datasets/someone/flan", {"flan_mini.json": content, "README.md": b"# Flan"})
    source = f"{{repository: someone/flan, revision: {hub.commit}, files: [flan_mini.json]}}"
    config = f"data={{flan: {{hub: {source}}}}}"
    with serving(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        checkout.snakemake(TARGET, "--config", config)
    raw = checkout.folder / "results/raw/data/flan"
    assert {path.name for path in raw.iterdir()} == {"flan_mini.json", "fetched.json"}
    assert (raw / "flan_mini.json").read_bytes() == content
    # 15 % of 12 tasks are unseen; four instances of each other task are kept.
    assert pq.read_table(checkout.folder / TARGET).num_rows == 10 * 4
    # Fetched files are kept: without a server nothing reruns.
    assert checkout.would_run(TARGET, "--config", config) == {}
