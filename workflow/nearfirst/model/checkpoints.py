"""The checkpoints of a segment: which there are, and streaming their weights into one model."""

import os
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from nearfirst.common.errors import InputError


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the folders of a segment's checkpoints by step. Raises InputError if it has none."""
    found = sorted(folder.glob("step-*"))
    if not found:
        raise InputError(f"{folder}: no checkpoint (step-*) in it")
    return found


def load_weights(model: Any, checkpoint: Path) -> None:
    """Stream a checkpoint's `model.safetensors` into a resident model, tensor by tensor.

    Raises
    ------
    InputError
        If the file is damaged, or holds other tensors than the model.
    """
    _copy(_read(checkpoint, _shapes(model)), model)


def each_loaded(model: Any, checkpoints: Sequence[Path]) -> Generator[Path, None, None]:
    """Load checkpoints into a resident model, one after another; yield each once it is there.

    While the caller computes with one, a thread reads the next from disk. It begins when the
    tensors before have been copied and let go, so host memory holds one checkpoint more than with
    `load_weights`, and never two. The thread does nothing but read: it takes no core from the work.

    Close the generator (`contextlib.closing`) where the caller may raise: the thread ends with it,
    as soon as the tensor that it reads is there.

    Raises
    ------
    InputError
        What `load_weights` raises, when it is that checkpoint's turn.
    """
    shapes, closed = _shapes(model), threading.Event()

    def read(checkpoint: Path) -> dict[str, torch.Tensor]:
        return dict(takewhile(lambda _: not closed.is_set(), _read(checkpoint, shapes)))

    with ThreadPoolExecutor(1, "read-ahead") as thread:
        try:
            ahead = None
            for checkpoint, following in zip_longest(checkpoints, checkpoints[1:]):
                tensors = (ahead or thread.submit(read, checkpoint)).result()
                _copy(_emptied(tensors), model)
                ahead = thread.submit(read, following) if following else None
                yield checkpoint
        finally:
            closed.set()


def _copy(tensors: Iterable[tuple[str, torch.Tensor]], model: Any) -> None:
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in tensors:
            own[name].copy_(tensor)


def _emptied(tensors: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the items, each for the last time: its memory is free once it was used."""
    while tensors:
        yield tensors.popitem()


def _shapes(model: Any) -> dict[str, torch.Size]:
    return {name: parameter.shape for name, parameter in model.named_parameters()}


def _read(checkpoint: Path, shapes: dict[str, torch.Size]) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield a checkpoint's tensors in the order of the file, each read into memory of its own.

    A plain read, front to back: a mapped file comes page by page, which is slow on a shared file
    system. (`safe_open` can read, too, but then no other Python thread runs meanwhile.)

    Raises
    ------
    InputError
        If the file is damaged, or its tensors are not of the names and shapes given.
    """
    path = checkpoint / "model.safetensors"
    try:
        with safe_open(path, framework="pt") as file, path.open("rb") as bytes_:
            names = file.offset_keys()
            if set(names) != shapes.keys():
                odd = sorted(set(names) ^ shapes.keys())[0]
                raise InputError(f"{path}: tensor '{odd}' is not in both file and model")
            # Mapped: they tell shapes and number formats, and nothing of them is read.
            mapped = {name: file.get_tensor(name) for name in names}
            # That tensors fill the file to its end, without a hole, has been checked on opening.
            bytes_.seek(-sum(tensor.nbytes for tensor in mapped.values()), os.SEEK_END)
            for name, like in mapped.items():
                if not like.is_floating_point():  # F32 and I32 differ by one byte of the header
                    raise InputError(f"{path}: tensor '{name}' holds {like.dtype}: no weights")
                if like.shape != shapes[name]:  # copy_ would spread a smaller one
                    raise InputError(
                        f"{path}: tensor '{name}' has shape {list(like.shape)}, the model's has "
                        f"{list(shapes[name])}"
                    )
                tensor = torch.empty_like(like)
                if bytes_.readinto(tensor.view(-1).view(torch.uint8).numpy().data) < tensor.nbytes:
                    raise OSError("it was cut while it was read")
                yield name, tensor
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: not a whole checkpoint ({error}); delete the folder {checkpoint.parent} and "
            "run snakemake again: it is trained again"
        ) from None
