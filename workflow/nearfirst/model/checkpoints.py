"""The checkpoints of a segment, and how their weights stream into one resident model."""

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
from nearfirst.model.adapter import rank_dimension, saved_parameters, weights_file

Shapes = dict[str, torch.Size]
Tensors = dict[str, torch.Tensor]


def step_folder(folder: Path, step: int) -> Path:
    """Return the folder of a step's checkpoint."""
    return folder / f"step-{step:06d}"


def step_of(checkpoint: Path) -> int:
    """Return the step of a checkpoint folder or a training state."""
    return int(checkpoint.name.rpartition("-")[2])


def checkpoints_in(folder: Path) -> list[Path]:
    """Return a segment's checkpoints in order of their steps.

    Raises InputError if there is none, or if a checkpoint listed in `run.json` is missing.
    """
    folders = sorted(folder.glob("step-*"))
    if not folders:
        raise InputError(f"{folder}: no checkpoint (step-*) in it")
    written = {(folder / name).parent for name in written_weights(folder)}
    if missing := sorted(written.difference(folders)):
        more = f" and {len(missing) - 1} more checkpoints are" if missing[1:] else " is"
        raise InputError(f"{missing[0]}{more} missing; {_remedy(missing[0], folder)}")
    return folders


def sha256_of(path: Path, tensors: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of a file that holds these tensors, reading only its header."""
    with safe_open(path, framework="pt") as file, path.open("rb") as bytes_:
        digest = hashlib.sha256(bytes_.read(_header_size(path, tensors.values())))
        for name in file.offset_keys():
            digest.update(_as_bytes(tensors[name]))
    return digest.hexdigest()


def _header_size(path: Path, tensors: Iterable[torch.Tensor]) -> int:
    # `safe_open` checks that the tensors fill the file to its end, without gaps.
    return path.stat().st_size - sum(tensor.nbytes for tensor in tensors)


def _as_bytes(tensor: torch.Tensor) -> memoryview:
    return tensor.view(-1).view(torch.uint8).numpy().data


def _remedy(path: Path, segment: Path) -> str:
    """Return what to do about a damaged file; a link points to a checkpoint made elsewhere."""
    verb = "gather" if (segment / "model").is_dir() else "train"
    source = f"copy or fetch {path.resolve()} anew, " if path.is_symlink() else ""
    return f"{source}delete the folder {segment} and run snakemake again to {verb} it again"


def load_weights(model: Any, *window: Path, average: int = 1) -> None:
    """Stream the mean of at most `average` checkpoints into a resident model, tensor by tensor.

    The model has been built for `average` (`load.model_for`). If it has an adapter, the checkpoints
    hold only that. Raises InputError if a file is damaged, or its tensors do not match the model's.
    """
    files = [checkpoint / weights_file(model) for checkpoint in window]
    _copy(_read_mean(files, _shapes(model, average), average), model)


def windows(checkpoints: Sequence[Path], before: Sequence[Path], size: int) -> list[list[Path]]:
    """Return each checkpoint with the `size` - 1 before it, or as many as there are.

    `before` are the folders of the earlier segments, in order.
    """
    steps = [step for folder in before for step in checkpoints_in(folder)] + [*checkpoints]
    ends = range(len(steps) - len(checkpoints) + 1, len(steps) + 1)
    return [steps[max(0, end - size) : end] for end in ends]


def stream_weights(
    model: Any, all_windows: Sequence[Sequence[Path]], average: int = 1
) -> Generator[Sequence[Path], None, None]:
    """Load the mean of each window of checkpoints into a resident model, and yield the window.

    A window holds at most `average` checkpoints. While the caller computes, a thread reads the next
    window from disk. It starts once the previous tensors are copied and freed, so host memory holds
    one checkpoint more than with `load_weights`, never two. The thread only reads: it takes no core
    from the computation.

    Close the generator (`contextlib.closing`) if the caller may raise: that ends the thread as soon
    as it has read its current tensor. Raises InputError as `load_weights` does, at that window.
    """
    shapes, name, closed = _shapes(model, average), weights_file(model), threading.Event()

    def read(window: Sequence[Path]) -> Tensors:
        tensors = _read_mean([folder / name for folder in window], shapes, average)
        return dict(takewhile(lambda _: not closed.is_set(), tensors))

    with ThreadPoolExecutor(1, "read-ahead") as thread:
        try:
            ahead = None
            for window, following in zip_longest(all_windows, all_windows[1:]):
                tensors = (ahead or thread.submit(read, window)).result()
                # Popping frees the memory of each tensor once it is copied.
                _copy((tensors.popitem() for _ in range(len(tensors))), model)
                ahead = thread.submit(read, following) if following else None
                yield window
        finally:
            closed.set()


def _copy(tensors: Iterable[tuple[str, torch.Tensor]], model: Any) -> None:
    parameters = saved_parameters(model)
    with torch.no_grad():
        for name, tensor in tensors:
            parameters[name].copy_(tensor)


def _shapes(model: Any, average: int) -> Shapes:
    """Return the shapes of a checkpoint's tensors, for a model with room for `average` adapters."""
    shapes = {name: list(parameter.shape) for name, parameter in saved_parameters(model).items()}
    for name, shape in shapes.items():
        if (dim := rank_dimension(name)) is not None:
            shape[dim] //= average
    return {name: torch.Size(shape) for name, shape in shapes.items()}


def _read_mean(
    window: Sequence[Path], shapes: Shapes, average: int
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the mean of each tensor over a window of checkpoints, like `_read` for one checkpoint.

    A layer with an adapter computes W + s B A. The mean over k, W + s (B₁ A₁ + … + Bₖ Aₖ) / k, is
    an adapter of k times the rank, with concatenated factors. `load.model_for` builds the model
    with the rank of `average` adapters, and so with scale s / `average`; if there are fewer, zeros
    fill up the rank and B compensates for the scale.
    """
    if average == len(window) == 1:
        yield from _read(window[0], shapes)
        return
    for parts in zip(*(_read(path, shapes) for path in window), strict=True):
        names = {name for name, _ in parts}
        if len(names) > 1:
            raise InputError(f"{window[-1]}: its tensors are in another order than {window[0]}'s")
        name, tensors = names.pop(), [tensor for _, tensor in parts]
        if (dim := rank_dimension(name)) is None:
            # Summed in float32, oldest first, for any number of segments.
            total = torch.zeros_like(tensors[0], dtype=torch.float32)
            for tensor in tensors:
                total += tensor
            yield name, total / len(tensors)
        else:
            zeros = [torch.zeros_like(tensors[0])] * (average - len(tensors))
            factor = torch.cat([*tensors, *zeros], dim).float()
            yield name, factor * (average / len(tensors)) if dim else factor


def _read(path: Path, shapes: Shapes) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors of a weights file in file order, each read into separate memory.

    The file is read front to back: a memory-mapped file is read page by page, which is slow on a
    shared file system. (`safe_open` could read too, but blocks other Python threads.)

    Raises InputError if the file is damaged, or its tensors have other names or shapes. A mismatch
    with the SHA-256 in `run.json`, if any, shows only after the last tensor.
    """
    segment = path.parents[1]
    expected = written_weights(segment).get(str(path.relative_to(segment)))
    try:
        with (
            safe_open(path, framework="pt") as file,
            path.open("rb") as bytes_,
            ThreadPoolExecutor(1, "sha256") as hasher,
        ):
            names = file.offset_keys()
            if set(names) != shapes.keys():
                unmatched = sorted(set(names) ^ shapes.keys())[0]
                raise InputError(f"{path}: tensor '{unmatched}' is not in both file and model")
            # Memory-mapped, for their shapes and dtypes: no data is read.
            mapped = {name: file.get_tensor(name) for name in names}
            sha256 = hashlib.sha256(bytes_.read(_header_size(path, mapped.values())))
            hashed: Future[None] | None = None
            for name, source in mapped.items():
                if not source.is_floating_point():  # F32 and I32 differ by one header byte
                    raise InputError(
                        f"{path}: tensor '{name}' holds {source.dtype}, which is not for weights"
                    )
                if source.shape != shapes[name]:  # copy_ would broadcast a smaller tensor
                    raise InputError(
                        f"{path}: tensor '{name}' has shape {list(source.shape)}, the model's has "
                        f"{list(shapes[name])}"
                    )
                tensor = torch.empty_like(source)
                if bytes_.readinto(_as_bytes(tensor)) < tensor.nbytes:
                    raise OSError("it was truncated while being read")
                if expected:  # while the next tensor is read
                    if hashed:
                        hashed.result()
                    hashed = hasher.submit(sha256.update, _as_bytes(tensor))
                yield name, tensor
            if hashed:
                hashed.result()
            if expected and sha256.hexdigest() != expected:
                raise OSError("its SHA-256 differs from when it was written")
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: not a whole checkpoint ({error}); {_remedy(path, segment)}"
        ) from None
