r"""Does the paper hold here? Test each of its claims on the runs of a config.

For instance:
  takeaways.py results/losses/flan/specialist-0/*/seed-*/*.parquet --output takeaways.csv \
      --subjects '{"subjects": [{"claim": "tma-near-tasks-run", "metrics": ["loss"], "roles": [
          ["NFT", "flan", "specialist-0", "tma-nearest"],
          ["RT", "flan", "specialist-0", "random"]]}]}'
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.common.settings import Section
from nearfirst.figures.arguments import add_weighting, parser, write_csv
from nearfirst.figures.read import read_runs, read_similarities
from nearfirst.figures.settings import ComparisonSettings, DistributionSettings, PredictionSettings
from nearfirst.tables.settings import StabilitySettings
from nearfirst.takeaways.evidence import Method
from nearfirst.takeaways.settings import TakeawaySettings
from nearfirst.takeaways.subjects import Subjects
from nearfirst.takeaways.verdicts import takeaways

SECTIONS: dict[str, type[Section]] = {
    "settings": TakeawaySettings,
    "comparison": ComparisonSettings,
    "stability": StabilitySettings,
    "prediction": PredictionSettings,
    "distribution": DistributionSettings,
}


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    subjects = arguments.subjects.subjects
    metrics = sorted({metric for subject in subjects for metric in subject.metrics})
    runs = {metric: read_runs(arguments.tables, metric) for metric in metrics}
    similar = any(subject.with_similarity for subject in subjects)
    similarities = read_similarities(arguments.tables) if similar else {}
    sections = {name: getattr(arguments, name) for name in SECTIONS}
    method = Method(**sections, weighting=arguments.weighting)
    table = takeaways(subjects, runs, similarities, method)
    write_csv(table, arguments.output, "%.6g")
    columns = ["claim", "where", "verdict", "effect", "low", "high", "p_value", "p_holm", "reason"]
    logging.info("\n%s", table[columns].to_string(index=False))


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores, rewards and similarities (Parquet)")
    flags.add_argument(
        "--subjects",
        type=cli.checked(Subjects.parse),
        required=True,
        metavar="JSON",
        help="claims of `nearfirst/takeaways/claims.py`, and the runs on which each is tested",
    )
    add_weighting(flags)
    for name, section in SECTIONS.items():
        cli.add_settings(flags, section, f"--{name}")
    cli.run(main, flags.parse_args())
