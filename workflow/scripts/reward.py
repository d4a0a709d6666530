"""Rewards of generated answers."""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import left_out, write_table
from nearfirst.data.instances import read_instances
from nearfirst.generate.table import read_answers
from nearfirst.model.visible_gpus import keep_one_gpu
from nearfirst.reward.exchanges import encode, exchanges_of
from nearfirst.reward.settings import RewardScoreSettings, RewardTextSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the rewards, with the identity of the answers and the number of instances left out."""
    answers = read_answers(arguments.generations)
    instances = read_instances(arguments.instances)
    exchanges = exchanges_of(answers, arguments.generations, instances, arguments.instances)
    keep_one_gpu()
    import torch

    from nearfirst.model import precision
    from nearfirst.reward.model import load_reward_model
    from nearfirst.reward.score import rewards, score_answers

    settings: RewardScoreSettings = arguments.settings
    torch.set_num_threads(settings.threads)
    dtype = precision.weights_dtype("reward.scoring.precision", settings.precision)
    model, tokenizer = load_reward_model(arguments.reward_model, arguments.revision, dtype)
    tokens = encode(exchanges, arguments.text, model, tokenizer)
    with precision.tf32(settings.precision), precision.autocast(settings.precision):
        scores = rewards(model, tokens, settings.batch_tokens)
    table = score_answers(answers, scores, arguments.reward_model)
    metadata = {**read_identity(arguments.generations), "left_out": str(left_out(answers))}
    write_table(table, arguments.output, metadata)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--generations", type=Path, required=True, help="answers (Parquet)")
    add("--instances", type=Path, required=True, help="test instances that were answered (Parquet)")
    add("--reward-model", required=True, help="reward model, a folder or a Hugging Face id")
    add("--revision", help="revision of a Hugging Face id")
    add("--output", type=Path, required=True, help="rewards to write (Parquet)")
    cli.add_settings(parser, RewardScoreSettings)
    cli.add_settings(parser, RewardTextSettings, "--text")
    cli.run(main, parser.parse_args())
