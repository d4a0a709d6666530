"""Training, evaluation and embedding jobs are killed at random moments and restarted."""

from pathlib import Path

import pytest
from faults import Make, Outputs, embedding, evaluation, training
from kills import kill_again_and_again


@pytest.mark.parametrize(
    ("make", "times", "within"),
    [
        # It resumes from its last state, so each attempt does a part of the work.
        (training, 6, 40),
        # A line of the log and a file for each of 9 checkpoints, from the last of which it resumes.
        (evaluation, 6, 5),
        (embedding, 4, 5),
    ],
)
def test_killed_jobs(
    results: Path, tmp_path: Path, undisturbed: Outputs, make: Make, times: int, within: int
) -> None:
    kill_again_and_again(make(results, tmp_path / "job"), undisturbed[make], times, within)
