"""Damaged results under Snakemake: the message names the file; once deleted, it is rebuilt."""

import shutil
from pathlib import Path

from checkout import Checkout
from files import contents, cut

CHECKPOINTS = "results/checkpoints/flan/random/seed-0/0-end"
CHECKPOINT = f"{CHECKPOINTS}/step-000008/model.safetensors"
MISSING = "results/losses/flan/specialist-0/random/seed-0/0-end.parquet"
LOSSES = "results/losses/flan/specialist-0/random/seed-1/0-end.parquet"
TARGET = "results/fig4_flan.csv"


def failure(checkout: Checkout) -> str:
    """Run a call that must fail; return its error message."""
    done = checkout.snakemake(TARGET, check=False)
    assert done.returncode == 1
    assert not (checkout.folder / TARGET).exists()
    assert not list(checkout.folder.rglob("*.tmp"))
    assert "Traceback" not in done.stdout
    lines = done.stdout.splitlines()
    (message,) = [line.removeprefix("error: ") for line in lines if line.startswith("error:")]
    assert any(line.startswith("Failed: ") and message in line for line in lines[-8:])
    return message


def test_damaged_files_are_named_and_rebuilt(
    copy_of_finished: Checkout, finished: Checkout
) -> None:
    folder: Path = copy_of_finished.folder
    for name in (TARGET, MISSING):
        (folder / name).unlink()
    for name in (CHECKPOINT, LOSSES):
        cut(folder / name)
    line = failure(copy_of_finished)
    assert CHECKPOINT in line
    assert f"delete the folder {CHECKPOINTS} " in line
    shutil.rmtree(folder / CHECKPOINTS)
    assert LOSSES in failure(copy_of_finished)
    (folder / LOSSES).unlink()
    copy_of_finished.snakemake(TARGET)
    for name in ("results/checkpoints", "results/losses"):
        assert contents(folder / name) == contents(finished.folder / name)
    assert (folder / TARGET).read_bytes() == (finished.folder / TARGET).read_bytes()
