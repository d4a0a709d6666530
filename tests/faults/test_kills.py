"""Training, evaluation and embedding jobs are killed at random moments, and begun again."""

from pathlib import Path

from faults import Job, Warm, embedding, evaluation, training
from kills import Chain, Undisturbed

TIMES = {"training": 8, "evaluation": 8, "embedding": 4}
assert sum(TIMES.values()) >= 20


def chain(job: Job, warm: Warm, alone: Undisturbed, seed: int, times: int, parts: int = 1) -> None:
    """Kill a job so often, and see that it was alive each time and ends with the right bytes."""
    kills = Chain(job, warm, alone, seed, parts)
    kills.run(times)
    assert kills.kills == times


def as_under_snakemake(path: Path, output: str, seconds: float) -> Undisturbed:
    """Return what Snakemake's job has made; its log grows some six times."""
    return Undisturbed(path.parent, {output: path.read_bytes()}, seconds, 6, 1)


def test_killed_training(
    warm: Warm, results: Path, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    # It goes on from its last state: each kill takes a part of the work.
    times = TIMES["training"]
    chain(training(results, tmp_path / "job"), warm, undisturbed, 1, times, parts=times)


def test_killed_evaluations(
    warm: Warm, results: Path, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    losses = results / "losses/flan/specialist-0/random/seed-0/0-end.parquet"
    # All these programs take about as long: their imports do.
    alone = as_under_snakemake(losses, "losses.parquet", undisturbed.seconds)
    chain(evaluation(results, tmp_path / "job"), warm, alone, 2, TIMES["evaluation"])


def test_killed_embeddings(
    warm: Warm, results: Path, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    embeddings = results / "embeddings/flan/specialist-0.parquet"
    alone = as_under_snakemake(embeddings, "embeddings.parquet", undisturbed.seconds)
    chain(embedding(results, tmp_path / "job"), warm, alone, 3, TIMES["embedding"])
