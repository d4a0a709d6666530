"""The workflow with the tiny preset, from nothing to the figure."""

import json
import subprocess
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from checkout import Checkout, copy_project, flan_rows

TARGET = "results/fig4_flan.pdf"


def test_the_figure_has_numbers_and_a_comparison(finished: Checkout) -> None:
    results = finished.folder / "results"
    assert (results / "fig4_flan.pdf").read_bytes().startswith(b"%PDF")
    table = pd.read_csv(results / "fig4_flan.csv")
    assert list(table.columns[:6]) == ["arrangement", "step", "mean", "low", "high", "n"]
    assert set(table["arrangement"]) == {"NFT", "RT", "FFT"}
    assert sorted(table["step"].unique()) == [0, 4, 8, 12, 16]
    assert (table["n"] == 2).all()
    assert (table["low"] <= table["mean"]).all()
    assert (table["mean"] <= table["high"]).all()
    start = table[table["step"] == 0]
    assert start["mean"].nunique() == 1, "orders begin with different models"
    paired = pd.read_csv(results / "fig4_flan_paired.csv")
    assert set(paired["comparison"]) == {"NFT-RT", "NFT-FFT"}
    assert (paired["seeds"] == 2).all()


def test_tables_have_the_documented_columns(finished: Checkout) -> None:
    messages = "list<element: struct<role: string, content: string, trained: bool>>"
    instances = f"id: string, task: string, messages: {messages}, references: list<element: string>"
    for path, columns in {
        "instances/flan/train.parquet": instances,
        "instances/flan/specialist-0.parquet": instances,
        "embeddings/text/flan/train.parquet": "id: string, embedding: fixed_size_list",
        "arrangements/flan/random/seed-0.parquet": "position: int32, id: string, round: int32",
        "losses/flan/specialist-0/random/seed-0/0-end.parquet": "step: int32, id: string, "
        "task: string, loss: float, label_tokens: int32",
    }.items():
        schema = pq.read_schema(finished.folder / "results" / path)
        found = ", ".join(f"{field.name}: {field.type}" for field in schema)
        assert found.startswith(columns), path


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


def test_looks_redraw_the_figure_and_change_no_number(copy_of_finished: Checkout) -> None:
    figure = copy_of_finished.folder / "results/fig4_flan.pdf"
    table = figure.with_suffix(".csv")
    before = figure.read_bytes(), table.read_bytes()
    copy_of_finished.snakemake(TARGET, "--config", "look={width: 7, x_label: Schritt}")
    assert figure.read_bytes() != before[0]
    assert table.read_bytes() == before[1]
    copy_of_finished.snakemake(TARGET)
    assert figure.read_bytes() == before[0], "the same looks give other bytes"


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """Return a zipped data set of 12 tasks in Flan-mini's form."""
    path = tmp_path / "flan_mini.json.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("flan_mini.json", json.dumps(flan_rows()))
    return path


def test_a_published_file_may_have_any_path(copy_of_finished: Checkout, own_file: Path) -> None:
    paths = [f"results/instances/flan/{split}.parquet" for split in ("train", "specialist-0")]
    copy_of_finished.snakemake(*paths, "--config", f"data={{flan: {{path: {own_file}}}}}")
    train, test = (pq.read_table(copy_of_finished.folder / path)["task"] for path in paths)
    # 15 % of the 12 tasks are unseen, with 1 instance each; the others have 4.
    assert (len(train), len(test)) == (40, 2)
    assert len(set(train.to_pylist())) == 10


def failed_run(checkout: Checkout, *config: str) -> list[str]:
    """Run a call that must fail; return the error messages of programs and of the config."""
    done: subprocess.CompletedProcess[str] = checkout.snakemake(
        TARGET, "--config", *config, check=False
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    lines: list[str] = done.stdout.splitlines()
    errors = [line for line in lines if line.startswith(("error:", "config key"))]
    # The last lines repeat the errors of programs.
    repeated = [line for line in lines[-8:] if line.startswith("Failed: ")]
    for error in errors:
        if error.startswith("error: "):
            assert any(error.removeprefix("error: ") in line for line in repeated)
    return errors


def test_a_damaged_file_gives_one_message_and_loses_nothing(
    copy_of_finished: Checkout, own_file: Path
) -> None:
    own_file.write_bytes(own_file.read_bytes()[:-40])
    results = copy_of_finished.folder / "results"
    # Training and test instances are sampled in parallel, and both report the file.
    (message,) = set(failed_run(copy_of_finished, f"data={{flan: {{path: {own_file}}}}}"))
    assert "flan_mini.json.zip" in message
    assert not list(results.rglob("*.tmp"))
    assert not list((results / "instances/flan").glob("*")), "a table is half-written"
    assert (results / "fig4_flan.pdf").exists(), "an earlier result is lost"


def test_a_wrong_config_is_refused_with_key_value_and_remedy(finished: Checkout) -> None:
    (message,) = failed_run(finished, "train={lerning_rate: 1}")
    assert "'train.lerning_rate' ('1'): unknown key; did you mean 'train.learning_rate'" in message
