"""Write the raw text on which the small base model is pretrained: one JSON string per line.

Also write questions about the skills that it teaches, for base_skills.py.
"""

import argparse
import json
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.corpus import text
from nearfirst.model.settings import TextSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the documents and the questions."""
    settings: TextSettings = arguments.settings
    with writing(arguments.output) as path, path.open("w") as file:
        for document in text.documents(settings.documents, settings.seed):
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
    with writing(arguments.exams) as path:
        path.write_text(json.dumps(text.exams(), ensure_ascii=False, indent=1))
    logging.info("%d documents", settings.documents)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="text to write (JSON lines)")
    parser.add_argument("--exams", type=Path, required=True, help="questions to write (JSON)")
    cli.add_settings(parser, TextSettings)
    cli.run(main, parser.parse_args())
