"""A connection to the process of `warm.py`, to run programs in forks of it.

Its `python`, which each job starts, imports this, so it imports little.
"""

import json
import os
import signal
import socket
from collections.abc import Sequence


def request(
    arguments: Sequence[str],
    environment: dict[str, str],
    streams: Sequence[int],
    address: str,
) -> tuple[socket.socket, int]:
    """Run a program in a fork, in this process's folder; return a connection and its process id.

    It is killed when the connection is closed.
    """
    folder = os.getcwd()  # noqa: PTH109, pathlib takes a while to import
    words = json.dumps([folder, environment, arguments]).encode()
    server = socket.socket(socket.AF_UNIX)
    server.connect(address)
    socket.send_fds(server, [len(words).to_bytes(4, "big")], streams)
    server.sendall(words)
    return server, int.from_bytes(server.recv(4))


def exit_code(server: socket.socket) -> int:
    """Wait until the program ends; return its exit code, negative if a signal ended it."""
    with server:
        answer = server.recv(2)
    return int.from_bytes(answer, signed=True) if answer else 1


def ask(address: str, arguments: list[str]) -> int:
    """Run a program in a fork, with this process's environment and streams."""
    server, program = request(arguments, dict(os.environ), [0, 1, 2], address)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(program, number))
    code = exit_code(server)
    return code if code >= 0 else 128 - code
