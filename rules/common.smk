# An input function stands above its rule, its signature over several lines: `snakemake --lint`
# objects to functions beside rules where `def` and `:` share a line.
#
# What all rules share: the validated config, the section of it that a rule reads, and the files
# of code that a program is made of.
import filecmp
import os
import re
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from nearfirst.config import load
from nearfirst.common import content, gpus
from nearfirst.data.registry import FORMATS
from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.common.settings import canonical
from nearfirst.common.source_files import library_modules
from nearfirst.model.tracking import Tracking, check_packages

try:
    CONFIG = load(config, LIBRARY / "presets")
    # Before anything is computed, where jobs run in this environment.
    if not workflow.deployment_settings.deployment_method:
        check_packages(CONFIG.report_to)
except InputError as error:
    raise WorkflowError(str(error))


# `run: NAME` puts all that is made below results/NAME; rules write it <results>.
RESULTS = f"results/{CONFIG.run}" if CONFIG.run else "results"


pathvars:
    results=RESULTS,


# Files of the user's, by the key that names them.
OWN_FILES = {
    f"data.{name}.{key}": path
    for name, dataset in CONFIG.data.items()
    for key in ("path", "test_path", "query_path", "key_list", "list")
    if (path := getattr(dataset, key, None))
}
OWN_FILES |= {
    f"arrangements.{name}.path": path
    for name, row in CONFIG.arrangements.items()
    if (path := getattr(row, "path", None))
}
# The checkpoints of each run made elsewhere.
ELSEWHERE = {}
for name, row in CONFIG.checkpoints.items():
    try:
        ELSEWHERE[name] = row.folders(Path(RESULTS, "raw/checkpoints", name))
    except InputError as error:
        raise WorkflowError(f"config key 'checkpoints.{name}.{error}")
    if row.source == "folders":
        OWN_FILES |= {
            f"checkpoints.{name}.steps.{step}": str(folder)
            for step, folder in ELSEWHERE[name].items()
        }
if CONFIG.harness.include:
    OWN_FILES["harness.include"] = CONFIG.harness.include
# Snakemake would not miss one while what was once made of it is there.
for key, path in OWN_FILES.items():
    if not os.path.exists(path):
        raise WorkflowError(f"config key '{key}' ({path!r}): no such file or folder")
for name in CONFIG.data:
    key = f"data.{name}.query_path"
    both = [OWN_FILES.get(key), OWN_FILES.get(f"data.{name}.test_path")]
    if all(both) and all(map(os.path.isfile, both)) and filecmp.cmp(*both, False):
        raise WorkflowError(
            f"config key '{key}' ({both[0]!r}): holds what test_path holds; leave it out, or name "
            "other prompts"
        )

NAMED = {
    "the project's folder": os.path.dirname(FOLDER),
    "config key 'model.name'": CONFIG.model.name,
    "config key 'reward.name'": CONFIG.reward.name,
    "config key 'scores.tokenizer'": CONFIG.scores.tokenizer,
    **{f"config key '{key}'": path for key, path in OWN_FILES.items()},
}
for what, path in NAMED.items():
    if {"{", "}"} & set(path or ""):
        raise WorkflowError(
            f"{what} ({path!r}): Snakemake takes {{words}} for wildcards; rename it"
        )

# Which executor will run is not known yet: one for a scheduler has a number of jobs and default
# resources.
SUBMITS = (
    workflow.nodes is not None
    and workflow.resource_settings.default_resources is not None
)
if SUBMITS and set("'\"$`\\") & set(FOLDER):
    raise WorkflowError(
        f"the project's folder ({os.path.dirname(FOLDER)!r}): Snakemake cannot submit jobs from a path with quotes, "
        "$ or a backslash; rename it"
    )


def state_of(path, files):
    """Return the state of a user's file or folder; `files` lists what is read of it.

    It stands in the params of whatever reads it. As an input, its time would count: that of a file
    which was copied with an old one, and of a folder's list of names alone.
    """
    path, kept = Path(path), Path(".snakemake/nearfirst-sums")
    try:
        read = files(path)
    except InputError as error:  # the job says it, in its log too
        return str(error)
    try:
        return content.state(path, read, kept, logger.info)
    except InputError as error:
        raise WorkflowError(str(error))


def itself(path):
    return [path]


def if_made(path):
    """Return a path as an input if it may be made here; what is the user's is none."""
    return path if path.startswith(f"{RESULTS}/") else []


def settings(section, without=frozenset()):
    """Return a section of the config as canonical JSON, so that a rule reruns if it changes.

    Without the keys that the rule does not read.

    It is returned by a function: in a plain string Snakemake would take {words} for wildcards.
    """
    part = CONFIG
    for name in section.split("."):
        part = getattr(part, name)
    text = part.canonical(without)
    return lambda wildcards: text


def script(name):
    """Return the path of a program."""
    return str(LIBRARY / "scripts" / name)


@cache
def library(name):
    """Return the library modules of a program: inputs, so that an edit reruns who imports it."""
    return [str(path) for path in library_modules(Path(script(name)), LIBRARY)]


@cache
def modules_of(file):
    """Return the file of a module that is found by name, and those of the library it imports."""
    path = Path(os.path.relpath(file))
    return sorted({str(path), *map(str, library_modules(path, LIBRARY))})


# On this machine `gpu` of a rule limits nothing unless somebody says how many there are.
if not SUBMITS:
    if workflow.is_main_process and "gpu" not in workflow.global_resources:
        if found := len(gpus.visible()):
            workflow.register_resource("gpu", found)


def growing(amount):
    """Return a resource that grows with each attempt, where a profile submits a job again."""
    return lambda wildcards, attempt: amount * attempt


wildcard_constraints:
    dataset="|".join(map(re.escape, CONFIG.data)),
    representation="|".join(map(re.escape, CONFIG.representations)),
    form="|".join(FORMATS.names()),
    source=r"(data|model)/[^/]+|checkpoints/[^/]+/\d+",
    split=r"train|(generalist|specialist)-\d+|heldout|query",
    test=rf"(({'|'.join(map(re.escape, CONFIG.data))})\.)?((generalist|specialist)-\d+|heldout|query)",
    arrangement="|".join(map(re.escape, [*CONFIG.arrangements, *CONFIG.checkpoints])),
    seed=r"\d+",
    start=r"\d+",
    stop=r"\d+|end",
