"""Test small base models on every skill that the tasks need, and warn of missing skills."""

import argparse
import json
import logging
from pathlib import Path

import pandas as pd

from nearfirst.common import cli
from nearfirst.common.files import writing


def main(arguments: argparse.Namespace) -> None:
    """Write the table."""
    from nearfirst.model import forced_choice
    from nearfirst.model.load import load_model, load_tokenizer

    exams = json.loads(arguments.exams.read_text(encoding="utf-8"))
    tables = []
    for seed, folder in arguments.base:
        model, tokenizer = load_model(folder).eval(), load_tokenizer(folder)
        table = forced_choice.grade(exams, model, tokenizer)
        table.insert(0, "seed", int(seed))
        tables.append(table)
        if missing := list(table["skill"][table["present"] == "no"]):
            logging.warning(
                "the base model of seed %s lacks %s (%s)",
                *(seed, ", ".join(missing), arguments.output),
            )
    with writing(arguments.output) as path:
        pd.concat(tables).to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--base", nargs=2, action="append", required=True, metavar=("SEED", "FOLDER"))
    add("--exams", type=Path, required=True, help="questions that generate_text.py wrote")
    add("--output", type=Path, required=True, help="table to write (CSV)")
    cli.run(main, parser.parse_args())
