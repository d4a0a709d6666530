"""Runs stage programs in processes of their own that need not import torch again.

Reads a JSON list a line: the command line after `python`, the file for what is printed, and the
largest size of a file in bytes, or null. Answers with the process number, then the exit code.
"""

import json
import os
import resource
import runpy
import signal
import sys
import traceback
from pathlib import Path

import sentence_transformers
import torch  # noqa: F401
from transformers import AutoTokenizer, LlamaForCausalLM, Trainer  # noqa: F401

assert sentence_transformers.SentenceTransformer


def run(command: list[str], printed: str, limit: int | None) -> None:
    """Be the program, in a fresh process with a group of its own."""
    os.setsid()
    file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sys.argv = command
    # Where Python looks first for modules when it runs a program.
    sys.path[0] = str(Path(command[0]).parent)
    code = 0
    try:
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


for line in sys.stdin:
    process = os.fork()
    if process == 0:
        run(*json.loads(line))
    print(process, flush=True)
    status = os.waitpid(process, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)
