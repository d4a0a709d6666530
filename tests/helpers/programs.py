"""Stage programs in this process, where what they import is imported already."""

import os
import runpy
import sys
from unittest.mock import patch

from checkout import ROOT

from nearfirst.common import cli


def run_here(name: str, *arguments: object) -> None:
    """Run a program to its end; what it raises is raised here, and no GPU is seen."""
    path = str(ROOT / "workflow/scripts" / name)
    with (
        patch.dict(os.environ, {"CUDA_VISIBLE_DEVICES": ""}),
        patch.object(cli, "run", lambda main, arguments: main(arguments)),
        patch.object(sys, "argv", [path, *map(str, arguments)]),
    ):
        runpy.run_path(path, run_name="__main__")
