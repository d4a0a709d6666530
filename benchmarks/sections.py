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
    """Rows of a table, measured one after another by one process or by several that work together.

    Attributes
    ----------
    rows
        By name, the function that measures a row from the setup. It must be at module level.
    processes
        Number of torch.distributed processes; 0 for one process without it.
    """

    name: str
    rows: Mapping[str, Callable[[Any], Cells]]
    processes: int = 0


def measure(
    section: Section, setup: Any, limit: float, *, fork: bool
) -> Iterator[tuple[str, Cells]]:
    """Yield the name and the cells of each row, for at most `limit` seconds.

    Forking saves the imports, but CUDA does not work after a fork.
    """
    context: Any = multiprocessing.get_context("fork" if fork else "spawn")
    reader, writer = context.Pipe(duplex=False)
    started = []
    for rank, environment in enumerate(_environments(section.processes)):
        arguments = section, setup, writer, rank, environment
        started.append(context.Process(target=_measure, args=arguments, daemon=True))
        started[-1].start()
    writer.close()
    unmeasured, end, reason = list(section.rows), time.monotonic() + limit, ""
    try:
        while unmeasured and not reason:
            left = max(0, end - time.monotonic())
            ready = wait([reader, *(process.sentinel for process in started)], left)
            if reader in ready:
                with suppress(EOFError):
                    name, cells = reader.recv()
                    unmeasured.remove(name)
                    yield name, cells
                    continue
            codes = [process.exitcode for process in started]
            if not ready:
                reason = f"cut off: section {section.name} took longer than {limit:.0f} s"
            elif code := next(filter(None, codes), None):
                killed = " (killed; no memory left on this machine?)" if code == -9 else ""
                reason = f"failed: the process ended with exit code {code}{killed}"
            elif None not in codes:
                reason = "failed: the process ended early"
    finally:
        for process in started:
            # A checkpoint may still be written after all is measured: wait for it, but not long.
            process.join(0 if unmeasured else 5)
            process.kill()
            process.join()
    yield from ((name, [reason]) for name in unmeasured)


def _environments(processes: int) -> list[dict[str, str]]:
    """Return the variables of each process that torch.distributed reads, as torchrun sets them."""
    if not processes:
        return [{}]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    count = str(processes)
    common = {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_PORT": port}
    common["MASTER_ADDR"] = "127.0.0.1"
    return [{"RANK": str(i), "LOCAL_RANK": str(i), **common} for i in range(processes)]


def _measure(
    section: Section, setup: Any, writer: Connection, rank: int, environment: dict[str, str]
) -> None:
    """Measure the rows; the first process sends the results."""
    end_with_launcher()
    os.environ |= environment
    logging.basicConfig(format="%(message)s")
    for name, work in section.rows.items():
        try:
            cells = work(setup)
        except Exception as error:
            if rank:
                raise  # the first process may be waiting for this one
            kind = "refused" if isinstance(error, InputError) else f"failed: {type(error).__name__}"
            cells = [f"{kind}: {' '.join(str(error).split())[:240]}"]
        if not rank:
            writer.send((name, cells))
        gc.collect()


def table(head: Sequence[str], rows: Sequence[tuple[str, Cells]]) -> str:
    """Return a Markdown table; rows with too few cells are filled up."""
    lines = [head, ["---"] * len(head)]
    lines += [[name, *cells, *[""] * (len(head) - 1 - len(cells))] for name, cells in rows]
    return "\n".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |" for line in lines)
