"""The summary printed when a run has ended: each target with its headline numbers."""

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
MAX_WARNINGS = 20
"""Warnings that are repeated, at most."""

# As `common.cli` logs it, possibly after a progress bar.
_WARNING = re.compile(r"\d\d:\d\d:\d\d warning: (.+)")


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


def _warnings(logs: Iterable[Path]) -> list[str]:
    """Return a line for each distinct warning, with the first log that holds it."""
    logs_of: dict[str, list[Path]] = {}
    for log in sorted({log for log in logs if log.is_file()}):
        text = log.read_text(encoding="utf-8", errors="replace")
        for warning in dict.fromkeys(_WARNING.findall(text)):
            logs_of.setdefault(warning, []).append(log)
    lines = [
        f"Warning: {warning} ({first}{f' and {len(others)} more' if others else ''})"
        for warning, (first, *others) in logs_of.items()
    ]
    if len(lines) > MAX_WARNINGS:
        lines[MAX_WARNINGS:] = [f"{len(lines) - MAX_WARNINGS} more warnings are in the logs."]
    return lines


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
