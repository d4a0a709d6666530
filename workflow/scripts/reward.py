"""Reward of every generated answer of a segment."""

import argparse
import logging
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import left_out, write_table
from nearfirst.data.instances import conversations, read_instances
from nearfirst.generate.table import check_instances, read_answers
from nearfirst.model.visible_gpus import keep_one_gpu
from nearfirst.reward.settings import RewardScoreSettings, RewardTextSettings
from nearfirst.reward.table import REWARDS


def main(arguments: argparse.Namespace) -> None:
    """Write the rewards; how many instances generation left out stays in the metadata."""
    keep_one_gpu()
    table = read_answers(arguments.generations)
    exchanges = _exchanges(arguments, table)
    import torch

    from nearfirst.model import load
    from nearfirst.reward.model import load_reward_model
    from nearfirst.reward.score import encode_exchanges, longest, rewards

    settings = cast(RewardScoreSettings, arguments.settings)
    text = cast(RewardTextSettings, arguments.text)
    torch.set_num_threads(settings.threads)
    dtype = load.dtype("reward.scoring.precision", settings.precision)
    model, tokenizer = load_reward_model(arguments.reward_model, arguments.revision, dtype)
    kept = longest(model, tokenizer, text.max_length)
    tokens = encode_exchanges(exchanges, text.template, tokenizer, kept)
    found = rewards(model, tokens, settings.batch_tokens)
    steps, ids = table["step"].to_numpy(), table["id"]
    if not np.isfinite(found).all():
        row = int(np.argmin(np.isfinite(found)))
        raise InputError(
            f"{arguments.reward_model}: the reward of id '{ids[row]}' at step {steps[row]} is not "
            "finite; check the model's weights, or set reward.scoring.precision: float32"
        )
    for step in np.unique(steps):
        logging.info("step %d: mean reward %.4f", step, found[steps == step].mean())
    columns = {"step": table["step"], "id": ids, "task": table["task"], "reward": found}
    result = pa.table(columns, schema=REWARDS)
    write_table(result, arguments.output, {"left_out": str(left_out(table))})


def _exchanges(arguments: argparse.Namespace, table: pa.Table) -> list[tuple[str, str]]:
    """Return instruction and answer of every row."""
    instances = read_instances(arguments.instances)
    check_instances(table, arguments.generations, instances, arguments.instances)
    asked = {
        id_: messages[0]["content"]
        for id_, messages in zip(instances["id"].to_pylist(), conversations(instances), strict=True)
    }
    rows = zip(table["id"].to_pylist(), table["prediction"].to_pylist(), strict=True)
    return [(asked[id_], prediction) for id_, prediction in rows]


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--generations", type=Path, required=True, help="answers (Parquet)")
    add("--instances", type=Path, required=True, help="test instances that they answer (Parquet)")
    add("--reward-model", required=True, help="reward model, a folder or a Hugging Face id")
    add("--revision", help="revision of a Hugging Face id")
    add("--output", type=Path, required=True, help="rewards to write (Parquet)")
    cli.add_settings(parser, RewardScoreSettings)
    cli.add_settings(parser, RewardTextSettings, "--text")
    cli.run(main, parser.parse_args())
