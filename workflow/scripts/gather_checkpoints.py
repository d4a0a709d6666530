"""Gather checkpoints made elsewhere in one folder, laid out like those of a run trained here."""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import sha256, writing_folder
from nearfirst.common.identity import write_run


def main(arguments: argparse.Namespace) -> None:
    """Write the folder; its `run.json` names the run."""
    from nearfirst.elsewhere.gather import gather

    steps = {int(step): Path(folder) for step, folder in arguments.step}
    with writing_folder(arguments.output) as folder:
        gather(steps, arguments.base, folder, f"checkpoints.{arguments.name}")
        files = sorted(folder.glob("step-*/*.safetensors"))
        sums = {str(path.relative_to(folder)): sha256(path) for path in files}
        write_run(folder, {"arrangement": arguments.name, "seed": str(arguments.seed)}, sums)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--name", required=True, help="name of the run")
    add("--seed", type=int, default=0, help="seed to label its results with")
    add(
        "--step",
        nargs=2,
        metavar=("STEP", "FOLDER"),
        action="append",
        required=True,
        help="a checkpoint; repeat for each",
    )
    add("--base", type=Path, metavar="FOLDER", help="tuned model, for files that checkpoints lack")
    add("--output", type=Path, required=True, help="folder to write")
    cli.run(main, parser.parse_args())
