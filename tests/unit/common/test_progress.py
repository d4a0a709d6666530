"""Progress on the screen while a program's output goes to its log."""

import io
import logging
from pathlib import Path

import pytest

from nearfirst.common import progress
from nearfirst.common.cli import job_name
from nearfirst.common.progress import Screen, bar


def test_a_job_shows_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    screen, stream = Screen(), io.StringIO()
    screen.show("not open yet")
    screen.open(stream, "train flan_random_seed-0")
    for seconds, text in ((14, "too early"), (16, "step 3"), (20, "too soon"), (31, "step 9")):
        now[0] = 100.0 + seconds
        screen.show(text)
    expected = ["train flan_random_seed-0: step 3", "train flan_random_seed-0: step 9"]
    assert stream.getvalue().splitlines() == expected


def test_a_bar_shows_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(progress, "EVERY", 0)
    monkeypatch.setattr(progress, "SCREEN", Screen())
    progress.SCREEN.open(stream, "embed flan_train")
    caplog.set_level(logging.INFO)
    with bar((), "texts", 8) as shown:
        shown.delay = 0
        shown.n = 6
        shown.refresh()
    assert "embed flan_train: texts 6 of 8" in stream.getvalue()


@pytest.mark.parametrize(
    ("log", "name"),
    [
        ("results/logs/train/flan_random_seed-0_0-end.log", "train flan_random_seed-0_0-end"),
        ("results/run/logs/pretrain.log", "pretrain"),
        ("here.log", "here"),
    ],
)
def test_the_name_of_a_job(log: str, name: str) -> None:
    assert job_name(Path(log)) == name
