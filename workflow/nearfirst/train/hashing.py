"""SHA-256 of a state's files, computed while writing them: 81 GB need not be read again."""

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Self

import torch

from nearfirst.common.files import sha256


class HashedSaves:
    """Context in which `torch.save` hashes what it writes to named files.

    After the block, `sums` holds the SHA-256 of each file.
    """

    def __init__(self) -> None:
        self.sums: dict[Path, str] = {}
        self._pending: dict[Path, Future[str]] = {}

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(2, "sha256")
        self._torch_save, torch.save = torch.save, self._save  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        torch.save = self._torch_save
        self._threads.shutdown()
        self.sums |= {path: future.result() for path, future in self._pending.items()}

    def add(self, path: Path) -> None:
        """Hash an existing file in the background."""
        self._pending[path] = self._threads.submit(sha256, path)

    def _save(self, content: Any, file: Any, *args: Any, **kwargs: Any) -> None:
        if not isinstance(file, str | os.PathLike):
            self._torch_save(content, file, *args, **kwargs)
            return
        with Path(file).open("wb") as opened:
            hashed = _HashedFile(opened, self._threads)
            self._torch_save(content, hashed, *args, **kwargs)  # type: ignore[arg-type]
        self.sums[Path(file)] = hashed.sum.hexdigest()


class _HashedFile:
    """A file written front to back."""

    def __init__(self, file: IO[bytes], threads: ThreadPoolExecutor) -> None:
        self.file, self.threads, self.sum = file, threads, hashlib.sha256()

    def write(self, part: Any) -> int:
        hashing = self.threads.submit(self.sum.update, part)
        try:
            self.file.write(part)
        finally:
            hashing.result()
        return len(part)

    def flush(self) -> None:
        self.file.flush()
