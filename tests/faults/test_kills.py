"""Training, evaluation and embedding jobs are killed at random moments and restarted."""

from pathlib import Path

from faults import embedding, evaluation, training
from kills import Undisturbed, kill_again_and_again

LOSSES = "losses/flan/specialist-0/random/seed-0/0-end.parquet"
EMBEDDINGS = "embeddings/text/flan/specialist-0.parquet"


def under_snakemake(
    path: Path, output: str, undisturbed: Undisturbed, changes: int, new_files: int
) -> Undisturbed:
    """Return the output of Snakemake's job. Its time is that of training: both mostly import."""
    result = {output: path.read_bytes()}
    return Undisturbed(path.parent, result, undisturbed.seconds, changes, new_files)


def test_killed_training(results: Path, tmp_path: Path, undisturbed: Undisturbed) -> None:
    # It resumes from its last state, so each attempt does a part of the work.
    job = training(results, tmp_path / "job")
    kill_again_and_again(job, undisturbed, seed=1, times=6, parts=6)


def test_killed_evaluations(results: Path, tmp_path: Path, undisturbed: Undisturbed) -> None:
    # A line of the log and a file for each of 9 checkpoints, from the last of which it resumes.
    expected = under_snakemake(results / LOSSES, "losses.parquet", undisturbed, 24, 9)
    job = evaluation(results, tmp_path / "job")
    kill_again_and_again(job, expected, seed=2, times=6, parts=6)


def test_killed_embeddings(results: Path, tmp_path: Path, undisturbed: Undisturbed) -> None:
    expected = under_snakemake(results / EMBEDDINGS, "embeddings.parquet", undisturbed, 6, 1)
    kill_again_and_again(embedding(results, tmp_path / "job"), expected, seed=3, times=4)
