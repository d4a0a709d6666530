"""The checkpoints of a segment, and streaming their weights into one resident model."""

import hashlib
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from nearfirst.common.errors import InputError
from nearfirst.common.identity import written_weights
from nearfirst.model.adapter import saved_parameters, weights_file

Shapes = dict[str, torch.Size]
Tensors = dict[str, torch.Tensor]


def step_folder(folder: Path, step: int) -> Path:
    """Return the folder of a step's checkpoint."""
    return folder / f"step-{step:06d}"


def step_of(checkpoint: Path) -> int:
    """Return the step of a checkpoint's folder, or of a training state's."""
    return int(checkpoint.name.rpartition("-")[2])


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the checkpoints of a segment by step.

    Raises InputError if there is none, or one that was written is missing.
    """
    found = sorted(folder.glob("step-*"))
    if not found:
        raise InputError(f"{folder}: no checkpoint (step-*) in it")
    written = {(folder / name).parent for name in written_weights(folder)}
    if missing := sorted(written.difference(found)):
        more = f" and {len(missing) - 1} more checkpoints are" if missing[1:] else " is"
        raise InputError(f"{missing[0]}{more} missing; {_again(folder)}")
    return found


def sha256_of(path: Path, tensors: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of a file of these tensors, of which the header alone is read."""
    with safe_open(path, framework="pt") as file, path.open("rb") as bytes_:
        total = hashlib.sha256(bytes_.read(_header_size(path, tensors.values())))
        for name in file.offset_keys():
            total.update(_bytes_of(tensors[name]))
    return total.hexdigest()


def _header_size(path: Path, tensors: Iterable[torch.Tensor]) -> int:
    # On opening it is checked that tensors fill the file to its end, without a hole.
    return path.stat().st_size - sum(tensor.nbytes for tensor in tensors)


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    return tensor.view(-1).view(torch.uint8).numpy().data


def _again(folder: Path) -> str:
    return f"delete the folder {folder} and run snakemake again: it is trained again"


def load_weights(model: Any, checkpoint: Path) -> None:
    """Stream a checkpoint's weights into a resident model, tensor by tensor: all, or the adapter's.

    Raises
    ------
    InputError
        If the file is damaged, or holds other tensors than the model.
    """
    _copy(_read(checkpoint / weights_file(model), _shapes(model)), model)


def windows(checkpoints: Sequence[Path], before: Sequence[Path], size: int) -> list[list[Path]]:
    """Return each checkpoint behind the `size` - 1 before it, or as many as there are.

    `before` are checkpoints of the same run that come before the first.
    """
    every = [*before, *checkpoints]
    ends = range(len(before) + 1, len(every) + 1)
    return [every[max(0, end - size) : end] for end in ends]


def stream_weights(
    model: Any, of: Sequence[Sequence[Path]]
) -> Generator[Sequence[Path], None, None]:
    """Load the mean of each window of checkpoints into a resident model, in turn.

    A window is yielded once its weights are there.

    While the caller computes with one, a thread reads the next from disk. It starts once the
    tensors before have been copied and freed, so host memory holds one checkpoint more than with
    `load_weights`, never two. The thread only reads: it takes no core from the work.

    Close the generator (`contextlib.closing`) where the caller may raise: that ends the thread, as
    soon as it has read the tensor at hand.

    Raises
    ------
    InputError
        As `load_weights`, when it is that checkpoint's turn.
    """
    shapes, name, closed = _shapes(model), weights_file(model), threading.Event()

    def read(window: Sequence[Path]) -> Tensors:
        tensors = _read_mean([folder / name for folder in window], shapes)
        return dict(takewhile(lambda _: not closed.is_set(), tensors))

    with ThreadPoolExecutor(1, "read-ahead") as thread:
        try:
            ahead = None
            for window, following in zip_longest(of, of[1:]):
                tensors = (ahead or thread.submit(read, window)).result()
                _copy(_pop_items(tensors), model)
                ahead = thread.submit(read, following) if following else None
                yield window
        finally:
            closed.set()


def _copy(tensors: Iterable[tuple[str, torch.Tensor]], model: Any) -> None:
    own = saved_parameters(model)
    with torch.no_grad():
        for name, tensor in tensors:
            own[name].copy_(tensor)


def _pop_items(tensors: Tensors) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the items and let go of each, so that its memory is free after use."""
    while tensors:
        yield tensors.popitem()


def _shapes(model: Any) -> Shapes:
    return {name: parameter.shape for name, parameter in saved_parameters(model).items()}


def _read_mean(window: Sequence[Path], shapes: Shapes) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the mean of each tensor over some checkpoints of a run, as `_read` yields one's own."""
    if len(window) == 1:
        yield from _read(window[0], shapes)
        return
    for parts in zip(*(_read(path, shapes) for path in window), strict=True):
        names = {name for name, _ in parts}
        if len(names) > 1:
            raise InputError(f"{window[-1]}: its tensors come in another order than {window[0]}'s")
        # Summed in float32, oldest first, whatever the number of segments.
        total = torch.zeros_like(parts[0][1], dtype=torch.float32)
        for _, tensor in parts:
            total += tensor
        yield names.pop(), total / len(parts)


def _read(path: Path, shapes: Shapes) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors of a checkpoint's file in its order, each read into memory of its own.

    The file is read front to back, since a mapped one comes page by page, which is slow on a shared
    file system. (`safe_open` can read, too, but keeps other Python threads waiting.)

    Raises
    ------
    InputError
        If the file is damaged, or its tensors have other names or shapes. Where `run.json` says its
        SHA-256, a damaged tensor shows once all are read.
    """
    segment = path.parents[1]
    expected = written_weights(segment).get(str(path.relative_to(segment)))
    try:
        with (
            safe_open(path, framework="pt") as file,
            path.open("rb") as bytes_,
            ThreadPoolExecutor(1, "sha256") as beside,
        ):
            names = file.offset_keys()
            if set(names) != shapes.keys():
                odd = sorted(set(names) ^ shapes.keys())[0]
                raise InputError(f"{path}: tensor '{odd}' is not in both file and model")
            # Mapped, for shapes and number formats: nothing of them is read.
            mapped = {name: file.get_tensor(name) for name in names}
            sha256 = hashlib.sha256(bytes_.read(_header_size(path, mapped.values())))
            hashed: Future[None] | None = None
            for name, like in mapped.items():
                if not like.is_floating_point():  # F32 and I32 differ by one byte of the header
                    raise InputError(f"{path}: tensor '{name}' holds {like.dtype}: no weights")
                if like.shape != shapes[name]:  # copy_ would spread a smaller one
                    raise InputError(
                        f"{path}: tensor '{name}' has shape {list(like.shape)}, the model's has "
                        f"{list(shapes[name])}"
                    )
                tensor = torch.empty_like(like)
                if bytes_.readinto(_bytes_of(tensor)) < tensor.nbytes:
                    raise OSError("it was cut while it was read")
                if expected:  # beside the reading of the next one
                    if hashed:
                        hashed.result()
                    hashed = beside.submit(sha256.update, _bytes_of(tensor))
                yield name, tensor
            if hashed:
                hashed.result()
            if expected and sha256.hexdigest() != expected:
                raise OSError("its SHA-256 differs from when it was written")
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error}); {_again(segment)}") from None
