"""A `python` for workflow runs: jobs are forks of a process that has imported torch already.

Imports take most of the time of a tiny job. With this `python` first on its PATH a run does the
same in less time. It passes SIGINT and SIGTERM on, and where it is killed, so is the fork.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import stat
import subprocess
import sys
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

PRELOADED = (
    *("pandas", "pyarrow.parquet", "scipy.stats", "matplotlib.backends.backend_pdf"),
    *("matplotlib.pyplot", "sentence_transformers", "torch.distributed.fsdp"),
    *("transformers.trainer", "transformers.models.llama.modeling_llama", "pydantic"),
    *("snakemake.cli", "snakemake_executor_plugin_slurm"),
)
# Started for each job, so without `site` and with few imports. `fetch.py` reads the address of the
# hub during its imports, so it is not forked. torchrun passes -u first.
CLIENT = """#!{python} -IS
import os, sys
arguments = sys.argv[2:] if sys.argv[1:2] == ["-u"] else sys.argv[1:]
program = arguments[0] if arguments else ""
if program != "-m" and (not program.endswith(".py") or program.endswith("/fetch.py")):
    os.execv({python!r}, [{python!r}, *arguments])
sys.path.insert(0, {here!r})
from warm_client import ask
sys.exit(ask({socket!r}, arguments))
"""


@cache
def folder_of_python() -> str:
    """Start the process to fork from; return the folder of the `python` that connects to it."""
    temporary = TemporaryDirectory()
    folder, address = Path(temporary.name), f"{temporary.name}/socket"
    python = folder / "python"
    here = str(Path(__file__).parent)
    python.write_text(CLIENT.format(python=sys.executable, here=here, socket=address))
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    server = subprocess.Popen(
        [sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdout
    server.stdout.readline()  # it listens

    @atexit.register
    def end() -> None:
        server.communicate()
        temporary.cleanup()

    return str(folder)


def serve(address: str) -> None:
    """Import everything, then fork for each client."""
    for name in PRELOADED:
        importlib.import_module(name)
    # What a fork starts, such as Snakemake in a batch job, is forked too.
    sys.executable = str(Path(address).with_name("python"))
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("listening", flush=True)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:  # the tests run
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                handle(client)
            client.close()
            reap()


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
    message, descriptors, _, _ = socket.recv_fds(client, 4, 4)
    environment, arguments = json.loads(client.makefile("rb").read(int.from_bytes(message)))
    program = os.fork()
    if program == 0:
        client.close()
        os._exit(run_as_python(environment, arguments, descriptors))
    for descriptor in descriptors:
        os.close(descriptor)
    client.sendall(program.to_bytes(4, "big"))
    ended = os.pidfd_open(program)
    if ended not in select.select([client, ended], [], [])[0]:  # the client was killed
        os.kill(program, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    with suppress(BrokenPipeError):
        client.sendall(bytes([status if status >= 0 else 128 - status]))
    os._exit(0)


def run_as_python(environment: dict[str, str], arguments: list[str], descriptors: list[int]) -> int:
    """Act like a Python started with these arguments; return its exit code."""
    os.setsid()
    *streams, folder = descriptors
    for stream, descriptor in enumerate(streams):
        os.dup2(descriptor, stream)
    os.fchdir(folder)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(":"))
    if threads := environment.get("OMP_NUM_THREADS"):
        sys.modules["torch"].set_num_threads(int(threads))
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
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def run(arguments: list[str], environment: dict[str, str]) -> None:
    """Run a program, or with `-m` a module, like Python's command line."""
    os.environ.clear()
    os.environ.update(environment)
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
    serve(sys.argv[1])
