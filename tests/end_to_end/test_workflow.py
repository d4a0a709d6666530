"""The workflow with the tiny preset, from nothing to the figure."""

import json
import zipfile
from pathlib import Path

import pandas as pd
from checkout import Checkout, copy_project, flan_rows

TARGET = "results/fig4_flan.pdf"


def test_the_figure_has_numbers_and_a_comparison(finished: Checkout) -> None:
    results = finished.folder / "results"
    table = pd.read_csv(results / "fig4_flan.csv")
    assert set(table["arrangement"]) == {"NFT", "RT", "FFT"}
    assert sorted(table["step"].unique()) == [0, 4, 8, 12, 16]
    assert (table["n"] == 2).all()
    start = table[table["step"] == 0]
    assert start["mean"].nunique() == 1, "orders begin with different models"
    paired = pd.read_csv(results / "fig4_flan_paired.csv")
    assert set(paired["comparison"]) == {"NFT-RT", "NFT-FFT"}
    assert (paired["seeds"] == 2).all()


def test_the_start_of_jobs_is_limited_only_if_the_user_asks_for_it(
    copy_of_finished: Checkout,
) -> None:
    # A later handler replaces an earlier one.
    with (copy_of_finished.folder / "Snakefile").open("a") as file:
        file.write("\n\nonsuccess:\n    print('LIMIT', workflow.scheduler.job_rate_limiter)\n")
    forced = ("--force", "results/fig4_flan.pdf")
    assert "\nLIMIT None\n" in copy_of_finished.snakemake(*forced).stdout
    limited = copy_of_finished.snakemake("--max-jobs-per-timespan", "5/2s", *forced).stdout
    assert "\nLIMIT <" in limited


def test_one_core_gives_the_same_bytes_as_several(finished: Checkout, tmp_path: Path) -> None:
    other = copy_project(tmp_path)
    run = "losses/flan/specialist-0/tma-nearest/seed-0/0-end.parquet"
    other.snakemake(f"results/{run}", "--cores", "1")
    same = [
        "corpus/flan/flan_mini.json",
        "model/seed-0/model.safetensors",
        "embeddings/text/flan/train.parquet",
        "distances/text/flan/specialist-0/matrix.npy",
        run,
    ]
    for name in same:
        expected = (finished.folder / "results" / name).read_bytes()
        assert (other.folder / "results" / name).read_bytes() == expected, name


def test_a_damaged_file_gives_one_message_and_loses_nothing(
    copy_of_finished: Checkout, tmp_path: Path
) -> None:
    path, results = tmp_path / "flan_mini.json.zip", copy_of_finished.folder / "results"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("flan_mini.json", json.dumps(flan_rows()))
    path.write_bytes(path.read_bytes()[:-40])
    config = ("--config", f"data={{flan: {{path: {path}}}}}")
    done = copy_of_finished.snakemake(TARGET, *config, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    lines = done.stdout.splitlines()
    # Training and test instances are sampled in parallel, and both report the file.
    (message,) = {line.removeprefix("error: ") for line in lines if line.startswith("error: ")}
    assert "flan_mini.json.zip" in message
    assert any(line.startswith("Failed: ") and message in line for line in lines[-8:])
    assert not list(results.rglob("*.tmp"))
    assert not list((results / "instances/flan").glob("*")), "a table is half-written"
    assert (results / "fig4_flan.pdf").exists(), "an earlier result is lost"
