"""Loss of test instances at a checkpoint (Section 2.2)."""

import os
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from safetensors import SafetensorError, safe_open

from nearfirst.batching import batches
from nearfirst.causal import logits_at
from nearfirst.errors import InputError
from nearfirst.instances import conversations
from nearfirst.settings.evaluation import Form
from nearfirst.template import IGNORED, Tokens, encode


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the folders of a segment's checkpoints by step. Raises InputError if it has none."""
    found = sorted(folder.glob("step-*"))
    if not found:
        raise InputError(f"{folder}: no checkpoint (step-*) in it")
    return found


def labelled(
    table: pa.Table, tokenizer: Any, max_length: int, form: Form = "paper"
) -> tuple[pa.Table, list[Tokens]]:
    """Return the instances that truncation leaves a label, and their tokens.

    All metrics are means over these: they have a loss, and their prompts leave room for an answer.
    """
    tokens = encode(conversations(table), tokenizer, max_length, form)
    kept = [row for row, item in enumerate(tokens) if item.label_tokens]
    return table.take(pa.array(kept, pa.int64())), [tokens[row] for row in kept]


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


@torch.inference_mode()
def losses(model: Any, tokens: Sequence[Tokens], batch_tokens: int) -> npt.NDArray[np.float32]:
    """Return the mean cross entropy over each instance's label tokens, in nats.

    Logits are computed at label positions only.

    Parameters
    ----------
    model
        A causal language model that `causal.check` accepts.
    tokens
        n instances, each with at least one label.
    batch_tokens
        Tokens in a forward pass, padding included.

    Returns
    -------
    (n,) float32.
    """
    device = model.device
    result = np.empty(len(tokens), dtype=np.float32)
    for batch in batches([len(item.ids) for item in tokens], batch_tokens):
        width = len(tokens[batch[0]].ids)
        ids = np.zeros((len(batch), width), dtype=np.int64)
        # targets[i, t] is what position t predicts: the label of position t + 1.
        targets = np.full((len(batch), width), IGNORED, dtype=np.int64)
        for row, index in enumerate(batch):
            item = tokens[index]
            ids[row, : len(item.ids)] = item.ids
            targets[row, : len(item.ids) - 1] = item.labels[1:]
        rows, columns = np.nonzero(targets != IGNORED)
        logits = logits_at(model, torch.from_numpy(ids).to(device), rows, columns)
        each = torch.nn.functional.cross_entropy(
            logits.float(),
            torch.from_numpy(targets[rows, columns]).to(logits.device),
            reduction="none",
        )
        sums = np.bincount(rows, weights=each.double().cpu().numpy(), minlength=len(batch))
        result[batch] = sums / np.bincount(rows, minlength=len(batch))
    return result
