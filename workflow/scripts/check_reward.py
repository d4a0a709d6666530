"""Load config and tokenizer of a reward model, to find faults before answers are generated."""

import argparse

from nearfirst.common import cli


def main(arguments: argparse.Namespace) -> None:
    """Raise InputError if it is not a reward model, or its tokenizer cannot be loaded."""
    from nearfirst.reward.model import check_reward_model

    check_reward_model(arguments.reward_model)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--reward-model", required=True, help="reward model, a folder or a Hugging Face id")
    cli.run(main, parser.parse_args())
