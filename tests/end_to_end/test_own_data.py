"""Data of your own: from one row of the config to the figure."""

import json
from pathlib import Path

import pandas as pd
from checkout import Checkout

FIGURE = "results/fig4_mine.pdf"
CONFIG = ("--config", "seeds=[0]", "data={mine: {path: pool.jsonl, test_path: test.jsonl}}")


def write_rows(path: Path, *tasks: int) -> None:
    rows = [
        {"prompt": f"Übung {task}: was folgt auf {number}?", "completion": f"Die {number + 1}."}
        for task in tasks
        for number in range(8)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_a_pool_and_a_test_file_make_the_figure(copy_of_finished: Checkout) -> None:
    folder, results = copy_of_finished.folder, copy_of_finished.folder / "results"
    write_rows(folder / "pool.jsonl", 0, 1, 2, 3)
    # The last task is in the pool too.
    write_rows(folder / "test.jsonl", 4, 3)
    copy_of_finished.snakemake(FIGURE, *CONFIG)
    assert (results / "fig4_mine.pdf").read_bytes().startswith(b"%PDF")
    table = pd.read_csv(results / "fig4_mine.csv")
    assert set(table["arrangement"]) == {"NFT", "RT", "FFT"}
    assert sorted(table["step"].unique()) == [0, 2]
    assert "on mine" in (results / "fig4_mine.txt").read_text()
    nearest = pd.read_parquet(results / "arrangements/mine/tma-nearest/seed-0.parquet")
    # Each test point takes its nearest training point: itself if the pool has it.
    first = set(nearest.loc[nearest["round"] == 1, "id"])
    assert {f"mine_{number}" for number in range(25, 33)} <= first
    log = (results / "logs/sample/mine_heldout.log").read_text()
    assert "test.jsonl: 8 of 16 test conversations are word for word among" in log
