"""What is printed when a run has ended: targets with their headline numbers, or what failed."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from nearfirst.figures.comparison import RUN
from nearfirst.figures.comparison.summary import finding
from nearfirst.figures.figure import Figure
from nearfirst.tables.comparisons import read_comparison

MAX_CURVES = 4
"""Curves whose first and last values are shown, at most."""
MAX_MESSAGES = 20
"""Warnings, or failed jobs, that are listed, at most."""

# As `common.cli` logs them; a warning possibly after a progress bar.
_WARNING = re.compile(r"\d\d:\d\d:\d\d warning: (.+)")
_ERROR = re.compile(r"^error: (.+)", re.MULTILINE)


def summary(targets: Iterable[str], figures: Mapping[str, Figure], logs: Iterable[str] = ()) -> str:
    """Return a short summary: targets, values of curves, findings, what to run next, warnings.

    Targets are paths of figures and tables; others are left out. Warnings come from the logs of the
    programs that made them.
    """
    paths = sorted({Path(target) for target in targets}, key=lambda path: path.name)
    pictures = [path for path in paths if path.suffix == ".pdf"]
    tables = [path for path in paths if path.suffix == ".csv" and "_paired" not in path.stem]
    lines = []
    for path in pictures:
        lines.append(f"{path}  {_ends_of_curves(path.with_suffix('.csv'), figures.get(path.stem))}")
        lines += [f"    {finding}" for finding in _findings(path)]
    for path in tables:
        rows = sum(1 for _ in path.open(encoding="utf-8")) - 1
        lines.append(f"{path}  {rows} rows")
    if pictures:
        lines += [
            "",
            "Beside each picture: NAME.csv (numbers), NAME.txt (caption).",
            "Next, one page of them: the same command with --report report.html",
        ]
    lines += _warnings(map(Path, logs))
    return "\n".join(line.rstrip() for line in lines)


def failures(jobs: Iterable[tuple[str, str]]) -> str:
    """Return the error of each failed job, a line each; a job is what it did, and its log.

    Jobs without an error in their log, such as killed ones, come first.
    """
    lines, silent = [], []
    for job, log in sorted({*jobs}):
        if errors := _ERROR.findall(_read(Path(log))):
            lines.append(f"Failed: {job}: {errors[-1]} ({log})")
        else:
            silent.append(f"{job}: no error in {log} (killed, or of a group with a failed job)")
    return "\n".join([*_first(silent, "failed jobs"), *_first(lines, "failed jobs")])


def _first(lines: list[str], what: str) -> list[str]:
    """Return the first lines, and how many more there are."""
    rest = len(lines) - MAX_MESSAGES
    return lines if rest <= 0 else [*lines[:MAX_MESSAGES], f"{rest} more {what} are in the logs."]


def _read(log: Path) -> str:
    """Return the text of a log; an empty one if the job did not write it."""
    return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""


def _warnings(logs: Iterable[Path]) -> list[str]:
    """Return a line for each distinct warning, with the first log that holds it."""
    logs_of: dict[str, list[Path]] = {}
    for log in sorted({*logs}):
        for warning in dict.fromkeys(_WARNING.findall(_read(log))):
            logs_of.setdefault(warning, []).append(log)
    lines = [
        f"Warning: {warning} ({first}{f' and {len(others)} more' if others else ''})"
        for warning, (first, *others) in logs_of.items()
    ]
    return _first(lines, "warnings")


def _ends_of_curves(path: Path, figure: Figure | None) -> str:
    """Return the first and last mean of each curve, if the figure has a single panel of curves."""
    if figure is None or not path.exists():
        return ""
    table = pd.read_csv(path)
    if not {"step", "mean", figure.series} <= set(table):
        return ""
    curves = list(table.groupby(figure.series, sort=False)["mean"])
    one_panel = "panel" not in table or table["panel"].nunique() == 1
    if not one_panel or len(curves) > MAX_CURVES:
        return f"{len(curves)} curves"
    ends = [f"{label} {means.iloc[0]:.3g} to {means.iloc[-1]:.3g}" for label, means in curves]
    return f"steps {table['step'].min()} to {table['step'].max()}: {', '.join(ends)}"


def _findings(path: Path) -> list[str]:
    """Return the primary finding of each comparison of a figure."""
    table = path.with_name(f"{path.stem}_paired.csv")
    if not table.exists():
        return []
    rows = read_comparison(table)
    rows = rows[rows["question"] == RUN]
    return [f"{row['comparison']}: {finding(row)}" for _, row in rows.iterrows()]
