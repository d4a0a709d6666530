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
from nearfirst.model.adapter import rank_side, saved_parameters, weights_file

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
        raise InputError(f"{missing[0]}{more} missing; {_again(missing[0], folder)}")
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


def _again(path: Path, segment: Path) -> str:
    """Return what to do about a file of a segment; a link is to a checkpoint made elsewhere."""
    made = "gathered" if (segment / "model").is_dir() else "trained"
    source = f"copy or fetch {path.resolve()} anew, " if path.is_symlink() else ""
    return f"{source}delete the folder {segment} and run snakemake again: it is {made} again"


def load_weights(model: Any, *window: Path, average: int = 1) -> None:
    """Stream the mean of checkpoints into a resident model, tensor by tensor.

    They are at most `average`, and the model is made for so many (`load.model_for`). If it has an
    adapter, that is all that they hold.

    Raises
    ------
    InputError
        If a file is damaged, or holds other tensors than the model.
    """
    files = [checkpoint / weights_file(model) for checkpoint in window]
    _copy(_read_mean(files, _shapes(model, average), average), model)


def windows(checkpoints: Sequence[Path], before: Sequence[Path], size: int) -> list[list[Path]]:
    """Return each checkpoint behind the `size` - 1 before it, or as many as there are.

    `before` are the folders of the segments that come before theirs, in order.
    """
    every = [step for folder in before for step in checkpoints_in(folder)] + [*checkpoints]
    ends = range(len(every) - len(checkpoints) + 1, len(every) + 1)
    return [every[max(0, end - size) : end] for end in ends]


def stream_weights(
    model: Any, of: Sequence[Sequence[Path]], average: int = 1
) -> Generator[Sequence[Path], None, None]:
    """Load the mean of each window of checkpoints into a resident model, in turn.

    A window is yielded once its weights are there, and holds at most `average`, as in
    `load_weights`.

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
    shapes, name, closed = _shapes(model, average), weights_file(model), threading.Event()

    def read(window: Sequence[Path]) -> Tensors:
        tensors = _read_mean([folder / name for folder in window], shapes, average)
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


def _shapes(model: Any, average: int) -> Shapes:
    """Return the shapes of a checkpoint's tensors; a model has room for `average` adapters."""
    shapes = {name: list(parameter.shape) for name, parameter in saved_parameters(model).items()}
    for name, shape in shapes.items():
        if (side := rank_side(name)) is not None:
            shape[side] //= average
    return {name: torch.Size(shape) for name, shape in shapes.items()}


def _read_mean(
    window: Sequence[Path], shapes: Shapes, average: int
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the mean of each tensor over some checkpoints of a run, as `_read` yields one's own.

    A layer with an adapter computes W + s B A, and the mean of k of them W + s (B₁ A₁ + … + Bₖ Aₖ)
    / k: an adapter again, of k times the rank, whose factors stand side by side. `load.model_for`
    makes the model with the rank of `average` adapters, and so the scale s / `average`; where there
    are fewer, the rest is zero and B makes up for it.
    """
    if average == len(window) == 1:
        yield from _read(window[0], shapes)
        return
    for parts in zip(*(_read(path, shapes) for path in window), strict=True):
        names = {name for name, _ in parts}
        if len(names) > 1:
            raise InputError(f"{window[-1]}: its tensors come in another order than {window[0]}'s")
        name, tensors = names.pop(), [tensor for _, tensor in parts]
        if (side := rank_side(name)) is None:
            # Summed in float32, oldest first, whatever the number of segments.
            total = torch.zeros_like(tensors[0], dtype=torch.float32)
            for tensor in tensors:
                total += tensor
            yield name, total / len(tensors)
        else:
            rest = [torch.zeros_like(tensors[0])] * (average - len(tensors))
            factor = torch.cat([*tensors, *rest], side).float()
            yield name, factor * (average / len(tensors)) if side else factor


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
        raise InputError(
            f"{path}: not a whole checkpoint ({error}); {_again(path, segment)}"
        ) from None
