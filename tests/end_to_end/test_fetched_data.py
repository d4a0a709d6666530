"""Published files are fetched from a hub on loopback by the rules, and sampled."""

import json

import pyarrow.parquet as pq
import pytest
from checkout import Checkout, copy_project, flan_rows
from hub_server import Hub, serving

TARGET = "results/instances/flan/train.parquet"
HUB = "{repository: someone/flan, revision: %s, files: [flan_mini.json]}"
CONFIG = f"data={{flan: {{hub: {HUB}}}}}"
OWN = (
    "{hub: {repository: someone/flan, revision: %s, files: [data/*, README.md]}, "
    "columns: {question: prompt, answer: response}}"
)


@pytest.fixture
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return copy_project(tmp_path_factory.mktemp("checkout"))


def test_fetched_data_are_sampled(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps(flan_rows()).encode()
    own = "".join(f'{{"question": "{i}?", "answer": "{i}!"}}\n' for i in range(20)).encode()
    files = {"flan_mini.json": content, "data/own.jsonl": own, "README.md": b"# Flan"}
    hub = Hub("datasets/someone/flan", files)
    mine = OWN % hub.commit
    config = f"{(CONFIG % hub.commit)[:-1]}, mine: {mine}}}"
    with serving(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        checkout.snakemake(TARGET, "results/instances/mine/heldout.parquet", "--config", config)
    held_out = pq.read_table(checkout.folder / "results/instances/mine/heldout.parquet")
    (first, second) = held_out["messages"].to_pylist()
    assert [turn["content"][-1] for turn in (*first, *second)] == ["?", "!", "?", "!"]
    raw = checkout.folder / "results/raw/data/flan"
    assert {path.name for path in raw.iterdir()} == {"flan_mini.json", "fetched.json"}
    assert (raw / "flan_mini.json").read_bytes() == content
    train = pq.read_table(checkout.folder / TARGET)
    # 15 % of 12 tasks are unseen; four instances of each other task are kept.
    assert train.num_rows == 10 * 4
    # Fetched files are kept: without a server nothing reruns.
    assert checkout.would_run(TARGET, "--config", config) == {}


def test_without_a_network_the_message_says_where_to_place_the_files(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = checkout.snakemake(TARGET, "--config", CONFIG % ("0" * 40), check=False)
    assert done.returncode != 0
    (message,) = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert "data.flan.path" in message
    assert not (checkout.folder / TARGET).exists()
