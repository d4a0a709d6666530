"""What the terminal shows when a call has ended: each target with its headline numbers."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from nearfirst.figures.comparison import RUN
from nearfirst.figures.comparison.summary import finding
from nearfirst.figures.figure import Figure
from nearfirst.tables.comparisons import read_comparison

FEW = 3
"""Most figures that a suggested command names."""
CURVES = 4
"""Most curves whose first and last values are shown."""
WARNINGS = 20
"""Most warnings that are repeated."""

# As `common.cli` writes it into a log; a bar of progress may stand before it.
_WARNING = re.compile(r"\d\d:\d\d:\d\d warning: (.+)")


def summary(
    targets: Iterable[str],
    figures: Mapping[str, Figure],
    logs: Iterable[str] = (),
) -> str:
    """Return a short table: targets, values of curves, findings, what to run next, warnings.

    Parameters
    ----------
    targets
        Paths that were asked for; those that are no figure or table are left out.
    figures
        Rows of the config by name.
    logs
        Logs of the programs that made the targets; what they warn of is repeated.
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
        drawn = [path for path in pictures if path.stem in figures]
        lines += ["", "Beside each picture: NAME.csv (numbers), NAME.txt (caption)."]
        # Without targets the report has all of them.
        names = "".join(f"{path} " for path in drawn) if len(drawn) <= FEW else ""
        if drawn:
            lines.append(f"Next, one page of them: snakemake {names}--report report.html")
    lines += _warnings(map(Path, logs))
    return "\n".join(line.rstrip() for line in lines)


def _warnings(logs: Iterable[Path]) -> list[str]:
    """Return a line for each different warning, with the first log that holds it."""
    found: dict[str, list[Path]] = {}
    for log in sorted({log for log in logs if log.is_file()}):
        text = log.read_text(encoding="utf-8", errors="replace")
        for warning in dict.fromkeys(_WARNING.findall(text)):
            found.setdefault(warning, []).append(log)
    lines = [
        f"Warning: {text} ({its[0]}{f' and {len(its) - 1} more' * (len(its) > 1)})"
        for text, its in found.items()
    ]
    more = [f"{len(lines) - WARNINGS} more warnings are in the logs."]
    return lines[:WARNINGS] + more * (len(lines) > WARNINGS)


def _ends_of_curves(path: Path, figure: Figure | None) -> str:
    """Return the first and the last mean of each curve, if the figure has curves of one panel."""
    if figure is None or not path.exists():
        return ""
    table = pd.read_csv(path)
    if not {"step", "mean", figure.series} <= set(table):
        return ""
    one_panel = "panel" not in table or table["panel"].nunique() == 1
    curves = [(label, its) for label, its in table.groupby(figure.series, sort=False)]
    if not one_panel or len(curves) > CURVES:
        return f"{len(curves)} curves"
    ends = [
        f"{label} {its['mean'].iloc[0]:.3g} to {its['mean'].iloc[-1]:.3g}" for label, its in curves
    ]
    return f"steps {table['step'].min()} to {table['step'].max()}: {', '.join(ends)}"


def _findings(path: Path) -> list[str]:
    """Return the primary finding of each comparison that belongs to a figure."""
    table = path.with_name(f"{path.stem}_paired.csv")
    if not table.exists():
        return []
    rows = read_comparison(table)
    return [
        f"{row['comparison']}: {finding(row)}"
        for _, row in rows[rows["question"] == RUN].iterrows()
    ]
