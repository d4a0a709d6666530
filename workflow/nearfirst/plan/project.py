"""The project as Snakemake sees it: its validated config, and where its jobs would run."""

import contextlib
import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from snakemake import cli  # type: ignore[import-untyped]
from snakemake.api import SnakemakeApi  # type: ignore[import-untyped]
from snakemake.settings.types import (  # type: ignore[import-untyped]
    ConfigSettings,
    OutputSettings,
    ResourceSettings,
)

from nearfirst.config import Config


@dataclass(frozen=True)
class Project:
    """The config, the rules that never become a batch job, and whether any job does."""

    config: Config
    local_rules: frozenset[str]
    submits: bool


def load_project(arguments: Sequence[str]) -> Project:
    """Read the project in this folder as `snakemake ARGUMENTS` would.

    Snakemake itself reads it: a config of our own making could differ from that of the jobs, and
    a dry run does not say which rules are local. The arguments must have passed a dry run.
    """
    with _silence():
        _, parsed = cli.parse_args([*arguments, "--dry-run"])
        config = ConfigSettings(
            config=cli.parse_config(parsed.config), configfiles=parsed.configfile or ()
        )
        # `dryrun`: no log file.
        with SnakemakeApi(OutputSettings(dryrun=True)) as api:
            workflow = api.workflow(ResourceSettings(cores=1), config_settings=config)._workflow
            unsubmitted = {rule.name for rule in workflow.rules if rule.norun}
            return Project(
                workflow.globals["CONFIG"],
                frozenset({*unsubmitted, *workflow._localrules}),
                parsed.executor not in (None, "local", "dryrun"),
            )


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Hide what Snakemake tells: the dry run told it already."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
