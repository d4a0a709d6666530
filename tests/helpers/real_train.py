"""Run train.py from programs that first change something in it; torchrun may start them."""

from pathlib import Path

TRAIN = Path(__file__).parents[2] / "workflow/scripts/train.py"


def main() -> None:
    """Run train.py in this process."""
    # Not with runpy, which would make torchrun start train.py instead of the program.
    exec(compile(TRAIN.read_text(), TRAIN, "exec"), {"__name__": "__main__"})
