"""SHA-256 of a state's files while they are written: 81 GB are not read again."""

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Self

import torch

from nearfirst.common.files import sha256


class HashedSaves:
    """Within its block, what `torch.save` writes to files by name is hashed beside being written.

    `sums` holds the SHA-256 of each file at the end of the block.
    """

    def __init__(self) -> None:
        self.sums: dict[Path, str] = {}
        self._later: dict[Path, Future[str]] = {}
        self._plain = torch.save

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(2, "sha256")
        self._plain, torch.save = torch.save, self._save  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        torch.save = self._plain
        self._thread.shutdown()
        self.sums |= {path: later.result() for path, later in self._later.items()}

    def add(self, path: Path) -> None:
        """Hash a file that is written already, beside what is written next."""
        self._later[path] = self._thread.submit(sha256, path)

    def _save(self, content: Any, file: Any, *more: Any, **how: Any) -> None:
        if not isinstance(file, str | os.PathLike):
            self._plain(content, file, *more, **how)
            return
        with Path(file).open("wb") as opened:
            hashed = _Hashed(opened, self._thread)
            self._plain(content, hashed, *more, **how)  # type: ignore[arg-type]
        self.sums[Path(file)] = hashed.sum.hexdigest()


class _Hashed:
    """A file that is written front to back."""

    def __init__(self, file: IO[bytes], thread: ThreadPoolExecutor) -> None:
        self.file, self.thread, self.sum = file, thread, hashlib.sha256()

    def write(self, part: Any) -> int:
        hashing = self.thread.submit(self.sum.update, part)
        try:
            self.file.write(part)
        finally:
            hashing.result()
        return len(part)

    def flush(self) -> None:
        self.file.flush()
