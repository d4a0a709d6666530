# Shared by all rules: the validated config, the section of it that a rule reads, and the code files
# that a program imports.
#
# An input function stands above its rule, with its signature over several lines: `snakemake --lint`
# objects to functions beside rules if `def` and `:` share a line.
import filecmp
import os
import re
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from nearfirst.config import check_repeats, load
from nearfirst.common import content, gpus
from nearfirst.data.registry import FORMATS
from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.common.settings import canonical
from nearfirst.common.source_files import library_modules
from nearfirst.model.tracking import Tracking, check_packages

try:
    for file in workflow.configfiles:
        check_repeats(Path(file))
    CONFIG = load(config, LIBRARY / "presets")
    # Fail early if jobs run in this environment.
    if not workflow.deployment_settings.deployment_method:
        check_packages(CONFIG.report_to)
except InputError as error:
    raise WorkflowError(str(error))


modifier = workflow.modifier.path_modifier
if modifier.prefix or modifier.modifies_prefixes:
    raise WorkflowError(
        "the module's prefix or replace_prefix: it would change the rules' files, but not all commands that name "
        "them; leave it out, and set `run` in the module's config: its files are then below results/RUN/"
    )

# `run: NAME` puts all outputs below results/NAME; rules write it as <results>.
RESULTS = f"results/{CONFIG.run}" if CONFIG.run else "results"


pathvars:
    results=RESULTS,


# The user's files, by the config key that names them.
OWN_FILES = {
    f"{table}.{name}.{key}": path
    for table in ("data", "arrangements")
    for name, row in getattr(CONFIG, table).items()
    for key in ("path", "test_path", "query_path", "key_list", "list")
    if (path := getattr(row, key, None))
}
# The checkpoints of each run made elsewhere.
ELSEWHERE = {}
for name, row in CONFIG.checkpoints.items():
    try:
        ELSEWHERE[name] = row.folders(Path(RESULTS, "raw/checkpoints", name))
    except InputError as error:
        key, _, fault = str(error).partition(": ")
        raise WorkflowError(f"config key 'checkpoints.{name}.{key}': {fault}")
    if row.source == "folders":
        OWN_FILES |= {
            f"checkpoints.{name}.steps.{step}": str(folder)
            for step, folder in ELSEWHERE[name].items()
        }
if CONFIG.harness.include:
    OWN_FILES["harness.include"] = CONFIG.harness.include
# Snakemake would not notice a missing file whose outputs exist.
for key, path in OWN_FILES.items():
    if not os.path.exists(path):
        raise WorkflowError(f"config key '{key}' ({path!r}): no such file or folder")
for name in CONFIG.data:
    key = f"data.{name}.query_path"
    paths = [OWN_FILES.get(key), OWN_FILES.get(f"data.{name}.test_path")]
    if all(paths) and all(map(os.path.isfile, paths)) and filecmp.cmp(*paths, False):
        raise WorkflowError(
            f"config key '{key}' ({paths[0]!r}): holds what test_path holds; leave it out, or name "
            "other prompts"
        )

USER_PATHS = {
    "the project's folder": os.path.dirname(FOLDER),
    "config key 'model.name'": CONFIG.model.name,
    "config key 'reward.name'": CONFIG.reward.name,
    "config key 'scores.tokenizer'": CONFIG.scores.tokenizer,
    **{f"config key '{key}'": path for key, path in OWN_FILES.items()},
}
for source, path in USER_PATHS.items():
    if {"{", "}"} & set(path or ""):
        raise WorkflowError(
            f"{source} ({path!r}): Snakemake takes {{words}} for wildcards; rename it"
        )

# The executor is not known yet; one for a scheduler has a number of jobs and default resources.
SUBMITS = (
    workflow.nodes is not None
    and workflow.resource_settings.default_resources is not None
)
if SUBMITS and set("'\"$`\\") & set(FOLDER):
    raise WorkflowError(
        f"the project's folder ({os.path.dirname(FOLDER)!r}): Snakemake cannot submit jobs from a path with quotes, "
        "$ or a backslash; rename it"
    )

if SUBMITS and workflow.is_main_process:
    # --config reaches the jobs through Python's repr and two shells, which change these characters.
    for text in workflow.config_settings.config_args or ():
        if repr(text)[1:-1] != text or {"$", "`"} & set(text):
            raise WorkflowError(
                f"--config {text}: a backslash, $, a backtick, a line break, or both kinds of quotes would reach "
                "batch jobs as something else; put this into config.yaml or a file for --configfile"
            )
    # A job reads the config again, and may derive other numbers than it was submitted with.
    name = CONFIG.model.name
    fetched = f"{RESULTS}/raw/model/model"
    is_derived = {"gpus", "offload"} - CONFIG.hardware.train.model_fields_set
    is_on_hub = CONFIG.model.package is None and name and not os.path.isdir(name)
    if is_derived and is_on_hub and not os.path.isdir(fetched):
        logger.warning(
            f"model.name: {name} is not here yet, and the GPUs of its training follow from its files, so that jobs of "
            f"this call may ask for too few; fetch it first: snakemake {fetched}/fetched.json"
        )


def state_of(path, files=lambda path: [path]):
    """Return a fingerprint of a user's file or folder; `files` lists the files read from a folder.

    Rules put it into their params. Inputs would be compared by time stamps, which may be old for a
    copied file, and which for a folder only follow its list of names.
    """
    path, cache_folder = Path(path), Path(".snakemake/nearfirst-sums")
    try:
        return content.state(path, files(path), cache_folder, logger.info)
    except InputError as error:  # the job reports it, in its log too
        return str(error)


def as_input(path):
    """Return a path as an input if a rule may make it; the user's files are no inputs."""
    return path if path.startswith(f"{RESULTS}/") else []


def settings(section, without=frozenset()):
    """Return a section of the config as canonical JSON, so that a rule reruns if it changes.

    `without` are the keys that the rule does not read. The result is a function, since Snakemake
    would take {words} in a plain string for wildcards.
    """
    part = CONFIG
    for name in section.split("."):
        part = getattr(part, name)
    text = part.canonical(without)
    return lambda wildcards: text


@cache
def code(name):
    """Return a program and the library modules that it imports, as inputs: an edit reruns the rule."""
    script = LIBRARY / "scripts" / name
    modules = [str(path) for path in library_modules(script, LIBRARY)]
    return {"script": str(script), "library": modules}


@cache
def modules_of(file):
    """Return the file of a module found by name, and the library files that it imports."""
    path = Path(os.path.relpath(file))
    return sorted({str(path), *map(str, library_modules(path, LIBRARY))})


# Without a scheduler, `gpu` of a rule limits nothing unless the number of GPUs is registered.
if not SUBMITS:
    if workflow.is_main_process and "gpu" not in workflow.global_resources:
        if n_gpus := len(gpus.visible()):
            workflow.register_resource("gpu", n_gpus)


def asks(memory_mb, minutes, gpus=None):
    """Return the resources of a rule, for profiles that resubmit failed jobs: more in each attempt.

    Without `nodes`, SLURM may take one GPU on each of two nodes.
    """
    grown = {
        "mem_mb": lambda wildcards, attempt: memory_mb * attempt,
        "runtime": lambda wildcards, attempt: minutes * attempt,
    }
    return grown if gpus is None else {"gpu": gpus, "nodes": 1, **grown}


def asks_gpus(hardware):
    """Return the resources of a rule that a section of `hardware` sets."""
    return asks(hardware.memory_mb, hardware.minutes, hardware.gpus)


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
