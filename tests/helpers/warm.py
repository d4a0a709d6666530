"""Programs as forks of a process that has imported torch already, which all tests of a run share.

Imports take most of the time of a tiny job. With the `python` of this module first on its PATH a
workflow run does the same in less time. It passes SIGINT and SIGTERM on, and where it is killed, so
is the fork.
"""

import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import gettempdir, mkdtemp

HERE = Path(__file__).parent
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
"""Variables of the programs that tests start: no network, one core."""
PRELOADED = (
    *("pandas", "pyarrow.parquet", "scipy.stats", "matplotlib.backends.backend_pdf"),
    *("matplotlib.pyplot", "sentence_transformers", "torch.distributed.fsdp"),
    *("transformers.trainer", "transformers.models.llama.modeling_llama", "pydantic"),
    *("snakemake.cli", "snakemake_executor_plugin_slurm", "smart_open"),
    *("snakemake.report.html_reporter", "tqdm"),
)
# Started for each job, so without `site` and with few imports. torchrun passes -u first.
CLIENT = """#!{python} -IS
import os, sys
arguments = sys.argv[2:] if sys.argv[1:2] == ["-u"] else sys.argv[1:]
program = arguments[0] if arguments else ""
if program != "-m" and not program.endswith(".py"):
    os.execv({python!r}, [{python!r}, *arguments])
sys.path.insert(0, {here!r})
from warm_client import ask
sys.exit(ask({address!r}, arguments))
"""


@cache
def folder_of_python() -> str:
    """Start the process to fork from, once; return the folder of the `python` that connects to it.

    The test processes of a run share it. It ends when the run does.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    folder = Path(gettempdir(), f"nearfirst-{run}") if run else Path(mkdtemp())
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "python").exists():
            start_server(str(folder / "socket"), os.getppid() if run else os.getpid())
            text = CLIENT.format(python=sys.executable, here=str(HERE), address=f"{folder}/socket")
            (folder / "python").write_text(text)
            (folder / "python").chmod(0o700)
    return str(folder)


def start_server(address: str, owner: int) -> None:
    """Start the process to fork from, which ends when the process `owner` does."""
    server = subprocess.Popen(
        [sys.executable, __file__, address, str(owner)],
        env=os.environ | ENVIRONMENT,  # its imports read some of these variables
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert server.stdout
    assert server.stdout.readline() == b"listening\n"


def serve(address: str, owner: int) -> None:
    """Import everything, then fork for each client until `owner` ends; remove the folder."""
    owner_ends = os.pidfd_open(owner)
    for name in PRELOADED:
        with suppress(ImportError):  # the second Python of CI has no PyTorch
            importlib.import_module(name)
    # What a fork starts, such as Snakemake in a batch job, is forked too.
    sys.executable = str(Path(address).with_name("python"))
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("listening", flush=True)
        while owner_ends not in select.select([listener, owner_ends], [], [])[0]:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                handle(client)
            client.close()
            reap()
    shutil.rmtree(Path(address).parent)


def reap() -> None:
    """Reap the forks that have ended."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def handle(client: socket.socket) -> None:
    """Run a client's program in another fork and send back the exit code."""
    message, descriptors, _, _ = socket.recv_fds(client, 4, 3)
    words = json.loads(client.makefile("rb").read(int.from_bytes(message)))
    program = os.fork()
    if program == 0:
        client.close()
        os._exit(run_as_python(*words, descriptors))
    for descriptor in descriptors:
        os.close(descriptor)
    client.sendall(program.to_bytes(4, "big"))
    ended = os.pidfd_open(program)
    if ended not in select.select([client, ended], [], [])[0]:  # the client was killed
        os.kill(program, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    with suppress(BrokenPipeError):
        client.sendall(status.to_bytes(2, "big", signed=True))
    os._exit(0)


def run_as_python(
    folder: str,
    environment: dict[str, str],
    arguments: list[str],
    descriptors: list[int],
) -> int:
    """Act like a Python started with these arguments; return its exit code."""
    os.setsid()
    for stream, descriptor in enumerate(descriptors):
        os.dup2(descriptor, stream)
    os.chdir(folder)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(":"))
    if (torch := sys.modules.get("torch")) and (threads := environment.get("OMP_NUM_THREADS")):
        torch.set_num_threads(int(threads))
    try:
        run(arguments, environment)
        code: object = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # its disk is full
            stream.flush()
    return code if isinstance(code, int) else int(code is not None)


def run(arguments: list[str], environment: dict[str, str]) -> None:
    """Run a program, or with `-m` a module, like Python's command line."""
    os.environ.clear()
    os.environ.update(environment)
    if arguments[0].endswith("/fetch.py"):
        # The hub's client reads the environment during its imports.
        for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
            del sys.modules[name]
    # Python puts the program's folder first.
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path.insert(0, str(Path(arguments[0]).parent))
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
