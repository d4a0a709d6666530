"""Rewards of generated answers.

The rewards of each step are kept at once, so that a killed job resumes there.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nearfirst.common import cli
from nearfirst.common.files import sha256
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import left_out, read_table
from nearfirst.common.progress import bar
from nearfirst.data.instances import read_instances
from nearfirst.generate.table import ANSWERS
from nearfirst.model.visible_gpus import keep_one_gpu
from nearfirst.reward.exchanges import encode, exchanges_of
from nearfirst.reward.settings import RewardScoreSettings, RewardTextSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the rewards, with the identity of the answers and the number of instances left out."""
    answers = read_table(arguments.generations, ANSWERS, unique=None)
    exchanges = exchanges_of(answers, read_instances(arguments.instances))
    keep_one_gpu()
    import torch

    from nearfirst.model import fingerprint, precision
    from nearfirst.model.parts import write_in_parts
    from nearfirst.reward.model import load_reward_model
    from nearfirst.reward.score import rewards, score_answers

    settings: RewardScoreSettings = arguments.settings
    name = arguments.reward_model
    torch.set_num_threads(settings.threads)
    dtype = precision.weights_dtype("reward.scoring.precision", settings.precision)
    model, tokenizer = load_reward_model(name, dtype)
    tokens = encode(exchanges, arguments.text, model, tokenizer)
    steps = answers["step"].to_numpy()
    rows = {f"step-{step:06d}": np.flatnonzero(steps == step) for step in np.unique(steps)}

    def score(todo: list[str]) -> Iterator[Any]:
        for step in bar(todo, "steps"):
            texts = [tokens[row] for row in rows[step]]
            with precision.tf32(settings.precision), precision.autocast(settings.precision):
                scores = rewards(model, texts, settings.batch_tokens)
            yield score_answers(answers.take(rows[step]), scores, name)

    made_from = [
        *(settings.canonical(), arguments.text.canonical()),
        *(sha256(arguments.generations), sha256(arguments.instances)),
        *(fingerprint.folders(name), fingerprint.code(Path(__file__))),
    ]
    metadata = {**read_identity(arguments.generations), "left_out": str(left_out(answers))}
    write_in_parts(arguments.output, dict.fromkeys(rows), score, made_from, metadata)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--generations", type=Path, required=True, help="answers (Parquet)")
    add("--instances", type=Path, required=True, help="test instances that were answered (Parquet)")
    add("--reward-model", required=True, help="reward model, a folder or a Hugging Face id")
    add("--output", type=Path, required=True, help="rewards to write (Parquet)")
    cli.add_settings(parser, RewardScoreSettings)
    cli.add_settings(parser, RewardTextSettings, "--text")
    cli.run(main, parser.parse_args())
