"""A folder of the user's is as good as a file: what changes in it is noticed."""

import json
import os
from pathlib import Path

from checkout import copy_project, flan_rows


def test_a_file_changed_in_place_reruns_what_reads_its_folder(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    folder = tmp_path / "my data"
    folder.mkdir()
    data, beside = folder / "flan_mini.json", folder / "notes.txt"
    rows = flan_rows()
    data.write_text(json.dumps(rows))
    target = "results/instances/flan/train.parquet"
    config = ("--config", f"data={{flan: {{path: '{folder}'}}}}")
    checkout.snakemake(target, *config)
    assert checkout.would_run(target, *config) == {}

    times = folder.stat().st_atime_ns, folder.stat().st_mtime_ns
    beside.write_text("No data.")
    os.utime(folder, ns=times)
    assert checkout.would_run(target, *config) == {}

    # As `git pull` or an editor may do it: the folder's own time stays what it was.
    data.write_text(json.dumps(rows[:-1]))
    os.utime(folder, ns=times)
    assert checkout.would_run(target, *config) == {"sample": 1}
