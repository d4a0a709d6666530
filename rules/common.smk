# What all rules share: the validated config, the section of it that a rule reads, and the files
# of code that a program is made of.
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

LIBRARY = Path(os.path.relpath(workflow.basedir)) / "workflow"
# The Snakefile and the programs find the library in any environment, conda's included.
sys.path.insert(0, str(LIBRARY))
shell.prefix(f"export PYTHONPATH={str(LIBRARY.absolute())!r}:${{{{PYTHONPATH:-}}}}; ")

from nearfirst.config import load
from nearfirst.errors import InputError
from nearfirst.imports import library_modules

try:
    CONFIG = load(config, LIBRARY / "presets")
except InputError as error:
    raise WorkflowError(str(error))

# Snakemake would not miss a file of the user's while what was once made of it is there.
for key in ("path", "key_list"):
    path = getattr(CONFIG.data.flan, key)
    if path and not os.path.isfile(path):
        raise WorkflowError(f"config key 'data.flan.{key}' ({path!r}): no such file")

FIGURES = list(type(CONFIG.figures).model_fields)


def settings(section):
    """Return a section of the config as canonical JSON, so that a rule reruns if it changes."""
    part = CONFIG
    for name in section.split("."):
        part = getattr(part, name)
    return part.canonical()


def script(name):
    """Return the path of a program."""
    return str(LIBRARY / "scripts" / name)


@cache
def library(name):
    """Return the library modules of a program: inputs, so that an edit reruns who imports it."""
    return [str(path) for path in library_modules(Path(script(name)), LIBRARY)]


def growing(amount):
    """Return a resource that grows with each attempt, where a profile submits a job again."""
    return lambda wildcards, attempt: amount * attempt


wildcard_constraints:
    dataset="flan",
    split="train|test",
    arrangement="random|tma-random|tma-(nearest|farthest)-(shuffle|pool)",
    seed=r"\d+",
    start=r"\d+",
    stop=r"\d+|end",
    figure="|".join(FIGURES),
