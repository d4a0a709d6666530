"""Numbers and tables as text."""

from collections.abc import Sequence


def align(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as aligned lines: the first column left, all others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    form = "  ".join([f"{{:<{widths[0]}}}", *(f"{{:>{width}}}" for width in widths[1:])])
    return "\n".join(form.format(*row).rstrip() for row in rows)


def size(number: float) -> str:
    """Format a number of bytes with three digits and a decimal unit."""
    units = ["B", "kB", "MB", "GB", "TB", "PB"]
    while number >= 999.5 and len(units) > 1:
        number /= 1000
        units.pop(0)
    digits = 0 if units[0] == "B" or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:,.{digits}f} {units[0]}"
