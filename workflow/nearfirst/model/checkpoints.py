"""The checkpoints of a segment, and how their weights stream into one resident model."""

import hashlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from nearfirst.common.errors import InputError
from nearfirst.common.identity import written_weights
from nearfirst.model import adapter


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
        raise InputError(f"{missing[0]} is missing; {_remedy(folder)}")
    return folders


def _remedy(segment: Path) -> str:
    made = "copy the original anew, " if (segment / "model").is_dir() else ""
    return f"{made}delete the folder {segment} and run snakemake again to make it again"


def load_weights(model: Any, *window: Path) -> None:
    """Stream the mean of checkpoints into a resident model, tensor by tensor.

    If the model has an adapter, the checkpoint holds only that. Raises InputError if a file is
    damaged, or its tensors do not match the model's.
    """
    _copy(_read_mean(window, model), model)


def windows(checkpoints: Sequence[Path], before: Sequence[Path], size: int) -> list[list[Path]]:
    """Return each checkpoint with the `size` - 1 before it, or as many as there are.

    `before` are the folders of the earlier segments, in order. Raises InputError if adapters are to
    be averaged: the mean of several is not an adapter of the same rank.
    """
    if size > 1 and (checkpoints[0] / adapter.CONFIG).is_file():
        raise InputError(f"evaluate.average: {checkpoints[0]} holds an adapter; set it to 1")
    steps = [step for folder in before for step in checkpoints_in(folder)] + [*checkpoints]
    ends = range(len(steps) - len(checkpoints) + 1, len(steps) + 1)
    return [steps[max(0, end - size) : end] for end in ends]


def stream_weights(
    model: Any, all_windows: Sequence[Sequence[Path]]
) -> Generator[Sequence[Path], None, None]:
    """Load the mean of each window of checkpoints into a resident model, and yield the window.

    While the caller computes, a thread reads the next window from disk. It starts once the previous
    tensors are copied and freed, so host memory holds one checkpoint more than with `load_weights`,
    never two.

    Close the generator (`contextlib.closing`) if the caller may raise: that waits for the thread.
    Raises InputError as `load_weights` does, at that window.
    """

    def read(window: Sequence[Path]) -> dict[str, torch.Tensor]:
        return dict(_read_mean(window, model))

    with ThreadPoolExecutor(1, "read-ahead") as thread:
        ahead = None
        for window, following in zip_longest(all_windows, all_windows[1:]):
            tensors = (ahead or thread.submit(read, window)).result()
            # Popping frees the memory of each tensor once it is copied.
            _copy((tensors.popitem() for _ in range(len(tensors))), model)
            ahead = thread.submit(read, following) if following else None
            yield window


def _copy(tensors: Iterable[tuple[str, torch.Tensor]], model: Any) -> None:
    parameters = adapter.saved_parameters(model)
    with torch.no_grad():
        for name, tensor in tensors:
            parameters[name].copy_(tensor)


def _read_mean(window: Sequence[Path], model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the mean of each of a model's tensors over a window of checkpoints."""
    shapes = {name: tensor.shape for name, tensor in adapter.saved_parameters(model).items()}
    first, *others = (_read(path / adapter.weights_file(model), shapes) for path in window)
    if not others:
        yield from first
        return
    for (name, oldest), *parts in zip(first, *others, strict=True):
        # Summed in float32, oldest first, for any number of segments.
        total = oldest.float()
        for other, tensor in parts:
            if other != name:
                raise InputError(
                    f"{window[-1]}: its tensors are in another order than {window[0]}'s"
                )
            total += tensor
        yield name, total / len(window)


def _read(path: Path, shapes: Mapping[str, torch.Size]) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors of a weights file in file order, each read into separate memory.

    The file is read front to back: a memory-mapped file is read page by page, which is slow on a
    shared file system. (`safe_open` could read too, but blocks other Python threads.)

    Raises InputError if the file is damaged, or its tensors have other names or shapes. A mismatch
    with the SHA-256 in `run.json`, if any, shows only after the last tensor.
    """
    segment = path.parents[1]
    expected = written_weights(segment).get(str(path.relative_to(segment)))
    try:
        with safe_open(path, framework="pt") as file, path.open("rb") as bytes_:
            names = file.offset_keys()
            if set(names) != shapes.keys():
                unmatched = sorted(set(names) ^ shapes.keys())[0]
                raise InputError(f"{path}: tensor '{unmatched}' is not in both file and model")
            # Memory-mapped, for their shapes and dtypes: no data is read.
            mapped = {name: file.get_tensor(name) for name in names}
            # `safe_open` checks that the tensors fill the file to its end, without gaps.
            header_size = path.stat().st_size - sum(tensor.nbytes for tensor in mapped.values())
            sha256 = hashlib.sha256(bytes_.read(header_size))
            for name, source in mapped.items():
                if source.shape != shapes[name]:  # copy_ would broadcast a smaller tensor
                    raise InputError(
                        f"{path}: tensor '{name}' has shape {list(source.shape)}, the model's has "
                        f"{list(shapes[name])}"
                    )
                tensor = torch.empty_like(source)
                content = tensor.view(-1).view(torch.uint8).numpy().data
                if bytes_.readinto(content) < tensor.nbytes:
                    raise OSError("it was truncated while being read")
                if expected:
                    sha256.update(content)
                yield name, tensor
            if expected and sha256.hexdigest() != expected:
                raise OSError("its SHA-256 differs from when it was written")
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error}); {_remedy(segment)}") from None
