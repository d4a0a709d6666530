"""ROUGE-1, ROUGE-L and Exact Match of every answer of a run."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.parquet import left_out, write_table
from nearfirst.data.instances import read_instances
from nearfirst.generate.table import read_answers
from nearfirst.score import answers, tokenizers
from nearfirst.score.scorer import Scorer
from nearfirst.score.settings import ScoreSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the scores; the number of instances left out is in the table's metadata."""
    settings = cast(ScoreSettings, arguments.settings)
    given = read_answers(arguments.generations)
    instances = read_instances(arguments.instances)
    references = answers.references_of(given, arguments.generations, instances, arguments.instances)
    without = [id_ for id_, texts in references.items() if not texts]
    if without:
        logging.warning(
            "%d of %d instances left out: none of their references holds text (the first is id "
            "'%s')",
            *(len(without), len(references), without[0]),
        )
    tokenizer = tokenizers.from_settings(settings, arguments.model)
    answers.warn_of_unseen_text(references, tokenizer, settings)
    table = answers.score_answers(given, references, Scorer(settings, tokenizer))
    write_table(table, arguments.output, {"left_out": str(left_out(given) + len(without))})


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--generations", type=Path, required=True, help="answers (Parquet)")
    add("--instances", type=Path, required=True, help="the instances answered (Parquet)")
    add("--model", metavar="FOLDER", help="base model, for `tokenizer: model`")
    add("--output", type=Path, required=True, help="scores to write (Parquet)")
    cli.add_settings(parser, ScoreSettings)
    cli.run(main, parser.parse_args())
