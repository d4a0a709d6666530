"""The workflow with the tiny preset, from nothing to the figure."""

from pathlib import Path

import pandas as pd
from checkout import Checkout, copy_project


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
