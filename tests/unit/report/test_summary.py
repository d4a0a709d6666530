"""The summary printed at the end of a run."""

from pathlib import Path

import pandas as pd
from runs import figure, noisy

from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.curves import curves
from nearfirst.figures.registry import KINDS
from nearfirst.figures.settings import ComparisonSettings, CurveSettings
from nearfirst.report.summary import failures, summary


def test_a_figure_with_its_numbers_and_findings(tmp_path: Path) -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=3)
    curves(runs, CurveSettings()).to_csv(tmp_path / "fig.csv", index=False)
    paired = paired_comparison(runs, "NFT", ComparisonSettings(resamples=200))
    paired.to_csv(tmp_path / "fig_paired.csv", index=False)
    pd.DataFrame({"a": [1, 2]}).to_csv(tmp_path / "table4.csv", index=False)
    row = KINDS.parse(figure("arrangements", "NFT", "RT", reference="NFT"))
    targets = [str(tmp_path / name) for name in ("fig.pdf", "table4.csv", "fig_paired.csv")]
    lines = summary(targets, {"fig": row}).splitlines()
    assert lines[0].startswith(f"{tmp_path}/fig.pdf  steps 0 to 20: NFT 2.")
    difference = f"{paired['difference'][0]:.3g}"
    assert lines[1].strip().startswith(f"NFT-RT: lower over the run, {difference} [")
    assert lines[2] == f"{tmp_path}/table4.csv  2 rows"
    assert "fig_paired.csv  " not in "\n".join(lines)
    # The targets alone would lack --config, and with it the data of one's own.
    assert "same command with --report report.html" in lines[-1]


def test_warnings_in_the_logs_are_repeated_once(tmp_path: Path) -> None:
    logs = [tmp_path / name for name in ("a.log", "b.log", "none.log")]
    for log, line in zip(logs, ("rows: 3it 12:00:01 warning: half is lost", ""), strict=False):
        log.write_text(f"{line}\n09:15:00 warning: a column\n09:15:01 no warning: this\n")
    assert summary([], {}, logs=map(str, logs)).splitlines() == [
        f"Warning: half is lost ({logs[0]})",
        f"Warning: a column ({logs[0]} and 1 more)",
    ]


def test_failed_jobs_and_their_errors(tmp_path: Path) -> None:
    first, second, killed = (str(tmp_path / name) for name in ("a.log", "b.log", "c.log"))
    Path(first).write_text("12:00:01 no error: this\nTraceback …\nerror: early\nerror: a.csv: é\n")
    Path(second).write_text("error: of each row\n")
    Path(killed).write_text("12:00:01 steps 0 to 90\n")
    jobs = [("train x", killed), ("sample b", second), ("sample a", first), ("embed", "none.log")]
    assert failures([*jobs, *jobs]).splitlines() == [
        "embed: no error in none.log (killed, or of a group with a failed job)",
        f"train x: no error in {killed} (killed, or of a group with a failed job)",
        f"Failed: sample a: a.csv: é ({first})",
        f"Failed: sample b: of each row ({second})",
    ]
    many = failures((f"job {number:02d}", first) for number in range(30)).splitlines()
    assert (len(many), many[-1]) == (21, "10 more failed jobs are in the logs.")
