# The folder of this workflow's programs and library.
import os
import shutil
import sys
import tempfile
from pathlib import Path
from shlex import quote
from zipfile import ZipFile


def checkout():
    """Return the folder of this workflow, which may differ from that of the main Snakefile.

    If another Snakefile uses it as a module from a git host (as snakedeploy writes), Snakemake
    fetches only the rules: programs and library are unpacked into `.snakemake`.
    """
    here = workflow.current_basedir
    if here.is_local:
        return Path(here.get_path_or_uri(secret_free=True)).parent
    repository = here.hosted_repo.repo
    commit = repository.commit(here.ref).hexsha
    folder = Path(".snakemake/nearfirst")
    mark = folder / "commit"
    # Cluster jobs read this too, so write only when the commit changes.
    if not mark.exists() or mark.read_text() != commit:
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryFile() as archive:
            # Not tar: whether Python unpacks it with a filter depends on its version.
            repository.archive(archive, treeish=commit, path="workflow", format="zip")
            with ZipFile(archive) as files:
                files.extractall(folder)
        mark.write_text(commit)
    return folder


LIBRARY = Path(os.path.relpath(checkout())) / "workflow"
# The Snakefile and the programs find the library in any environment, conda's included.
sys.path.insert(0, str(LIBRARY))
FOLDER = str(LIBRARY.absolute())
# An empty part of PYTHONPATH would be the user's folder, whose files could stand for modules.
# SLURM sends SIGTERM to the shell too, which must wait while its program saves its state. Without
# the trap the shell and the job would end at once, and the program be killed.
shell.prefix(
    f"export PYTHONPATH={quote(FOLDER)}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; trap : TERM; "
)
