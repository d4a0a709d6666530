"""ROUGE, Exact Match and the other scores of every answer."""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import left_out, read_table, write_table
from nearfirst.data.instances import read_instances
from nearfirst.generate.table import ANSWERS
from nearfirst.score import answers, tokenizers
from nearfirst.score.scorer import make_scorer
from nearfirst.score.settings import ScoreSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the scores, with the identity of the answers and the number of instances left out."""
    settings: ScoreSettings = arguments.settings
    table = read_table(arguments.generations, ANSWERS, unique=None)
    instances = read_instances(arguments.instances)
    references = answers.references_of(table, instances, arguments.instances)
    tokenizer = tokenizers.from_settings(settings, arguments.model)
    answers.warn_of_ignored_text(references, tokenizer, settings.tokenizer)
    scores = answers.score_answers(table, references, make_scorer(settings, tokenizer))
    missing = left_out(table) + sum(not texts for texts in references.values())
    identity = read_identity(arguments.generations)
    write_table(scores, arguments.output, {**identity, "left_out": str(missing)})


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--generations", type=Path, required=True, help="answers (Parquet)")
    add("--instances", type=Path, required=True, help="test instances that were answered (Parquet)")
    add("--model", metavar="FOLDER", help="base model, for `tokenizer: model`")
    add("--output", type=Path, required=True, help="scores to write (Parquet)")
    cli.add_settings(parser, ScoreSettings)
    cli.run(main, parser.parse_args())
