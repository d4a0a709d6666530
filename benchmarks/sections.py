"""Measurements in separate processes: if one fails, the others run on."""

import gc
import logging
import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from nearfirst.common.errors import InputError
from nearfirst.train.torchrun import end_with_launcher

Cells = Sequence[str]
"""The cells of a table row after its name; only a reason if nothing was measured."""


class Section(NamedTuple):
    """Rows of a table, measured one after another by a process."""

    name: str
    rows: Mapping[str, Callable[[Any], Cells]]
    """By name, the function that measures a row from the setup. It must be at module level."""
    distributed: bool = False
    """Whether the process is one of torch.distributed, alone."""


def measure(
    section: Section, setup: Any, limit: float, *, fork: bool
) -> Iterator[tuple[str, Cells]]:
    """Yield the name and the cells of each row, for at most `limit` seconds.

    Forking saves the imports, but CUDA does not work after a fork.
    """
    context: Any = multiprocessing.get_context("fork" if fork else "spawn")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(section, setup, writer), daemon=True)
    process.start()
    writer.close()
    unmeasured, end, reason = list(section.rows), time.monotonic() + limit, ""
    try:
        while unmeasured and not reason:
            ready = wait([reader, process.sentinel], max(0, end - time.monotonic()))
            if reader in ready:
                with suppress(EOFError):
                    name, cells = reader.recv()
                    unmeasured.remove(name)
                    yield name, cells
                    continue
            code = process.exitcode
            if not ready:
                reason = f"cut off: section {section.name} took longer than {limit:.0f} s"
            elif code is not None:
                killed = " (killed; no memory left on this machine?)" if code == -9 else ""
                reason = f"failed: the process ended with exit code {code}{killed}"
    finally:
        # A checkpoint may still be written after all is measured: wait for it, but not long.
        process.join(0 if unmeasured else 5)
        process.kill()
        process.join()
    yield from ((name, [reason]) for name in unmeasured)


def _measure(section: Section, setup: Any, writer: Connection) -> None:
    """Measure the rows and send the results."""
    end_with_launcher()
    if section.distributed:  # as torchrun sets them
        os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    logging.basicConfig(format="%(message)s")
    for name, work in section.rows.items():
        try:
            cells = work(setup)
        except Exception as error:
            kind = "refused" if isinstance(error, InputError) else f"failed: {type(error).__name__}"
            cells = [f"{kind}: {' '.join(str(error).split())[:240]}"]
        writer.send((name, cells))
        gc.collect()


def table(head: Sequence[str], rows: Sequence[tuple[str, Cells]]) -> str:
    """Return a Markdown table; rows with too few cells are filled up."""
    lines = [head, ["---"] * len(head)]
    lines += [[name, *cells, *[""] * (len(head) - 1 - len(cells))] for name, cells in rows]
    return "\n".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |" for line in lines)
