"""Training, evaluation and embedding jobs are killed at random moments and restarted."""

from pathlib import Path

from faults import embedding, evaluation, training
from kills import kill_again_and_again

LOSSES = "losses/flan/specialist-0/random/seed-0/0-end.parquet"
EMBEDDINGS = "embeddings/text/flan/specialist-0.parquet"


def test_killed_training(results: Path, tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    # It resumes from its last state, so each attempt does a part of the work.
    kill_again_and_again(training(results, tmp_path / "job"), undisturbed, 1, times=6, within=40)


def test_killed_evaluations(results: Path, tmp_path: Path) -> None:
    # A line of the log and a file for each of 9 checkpoints, from the last of which it resumes.
    expected = {"losses.parquet": (results / LOSSES).read_bytes()}
    kill_again_and_again(evaluation(results, tmp_path / "job"), expected, 2, times=6, within=5)


def test_killed_embeddings(results: Path, tmp_path: Path) -> None:
    expected = {"embeddings.parquet": (results / EMBEDDINGS).read_bytes()}
    kill_again_and_again(embedding(results, tmp_path / "job"), expected, 3, times=4, within=5)
