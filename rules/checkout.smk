# Where the programs and the library of this workflow lie.
import os
import shutil
import sys
import tempfile
from pathlib import Path
from shlex import quote
from zipfile import ZipFile


def checkout():
    """Return the folder of this workflow, which need not be that of the main Snakefile.

    Where another Snakefile takes it from a git host as a module (snakedeploy writes one), Snakemake
    fetches the rules alone: programs and library are put beside what else it keeps.
    """
    here = workflow.current_basedir
    if here.is_local:
        return Path(here.get_path_or_uri(secret_free=True)).parent
    repository = here.hosted_repo.repo
    commit = repository.commit(here.ref).hexsha
    folder = Path(".snakemake/nearfirst")
    mark = folder / "commit"
    # Jobs of a cluster read this too: only a change of the commit writes.
    if not mark.exists() or mark.read_text() != commit:
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryFile() as archive:
            # Not as tar, which Python unpacks with a filter, or without, by its version.
            repository.archive(archive, treeish=commit, path="workflow", format="zip")
            with ZipFile(archive) as files:
                files.extractall(folder)
        mark.write_text(commit)
    return folder


LIBRARY = Path(os.path.relpath(checkout())) / "workflow"
# The Snakefile and the programs find the library in any environment, conda's included.
sys.path.insert(0, str(LIBRARY))
FOLDER = str(LIBRARY.absolute())
# SLURM sends SIGTERM to the shell as well: it waits for its program, which saves its state. Without
# the trap it would end at once, the job with it, and what is left be killed.
shell.prefix(f"export PYTHONPATH={quote(FOLDER)}:${{{{PYTHONPATH:-}}}}; trap : TERM; ")
