"""Loss of test instances at a checkpoint (Section 2.2)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from safetensors import SafetensorError, safe_open

from nearfirst.batching import batches
from nearfirst.errors import InputError
from nearfirst.instances import conversations
from nearfirst.template import IGNORED, Tokens, encode


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the folders of a segment's checkpoints by step. Raises InputError if it has none."""
    found = sorted(folder.glob("step-*"))
    if not found:
        raise InputError(f"{folder}: no checkpoint (step-*) in it")
    return found


def labelled(table: pa.Table, tokenizer: Any, max_length: int) -> tuple[pa.Table, list[Tokens]]:
    """Return the instances that truncation leaves a label, and their tokens.

    All metrics are means over these: they have a loss, and their prompts leave room for an answer.
    """
    tokens = encode(conversations(table), tokenizer, max_length)
    kept = [row for row, item in enumerate(tokens) if item.label_tokens]
    return table.take(pa.array(kept, pa.int64())), [tokens[row] for row in kept]


def load_weights(model: Any, checkpoint: Path) -> None:
    """Stream a checkpoint's `model.safetensors` into a resident model, tensor by tensor.

    Raises
    ------
    InputError
        If the file is damaged, or holds other tensors than the model.
    """
    path = checkpoint / "model.safetensors"
    own = dict(model.named_parameters())
    try:
        with safe_open(path, framework="pt") as file, torch.no_grad():
            names = set(file.keys())
            if names != own.keys():
                odd = sorted(names ^ own.keys())[0]
                raise InputError(f"{path}: tensor '{odd}' is not in both file and model")
            for name, parameter in own.items():
                tensor = file.get_tensor(name)
                if tensor.shape != parameter.shape:  # copy_ would spread a smaller one
                    raise InputError(
                        f"{path}: tensor '{name}' has shape {list(tensor.shape)}, the model's has "
                        f"{list(parameter.shape)}"
                    )
                parameter.copy_(tensor)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error}); train it again") from None


@torch.inference_mode()
def losses(model: Any, tokens: Sequence[Tokens], batch_tokens: int) -> npt.NDArray[np.float32]:
    """Return the mean cross entropy over each instance's label tokens, in nats.

    Logits are computed at label positions only.

    Parameters
    ----------
    model
        A causal language model whose logits are its output embedding of the last hidden state, as
        Llama's are.
    tokens
        n instances, each with at least one label.
    batch_tokens
        Tokens in a forward pass, padding included.

    Returns
    -------
    (n,) float32.
    """
    head = model.get_output_embeddings()
    device = head.weight.device
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
        # Padding is on the right and attention is causal, so no mask is needed.
        output = model.base_model(torch.from_numpy(ids).to(device), use_cache=False)
        at_labels = output.last_hidden_state[torch.from_numpy(rows), torch.from_numpy(columns)]
        logits = head(at_labels)
        each = torch.nn.functional.cross_entropy(
            logits.float(),
            torch.from_numpy(targets[rows, columns]).to(device),
            reduction="none",
        )
        sums = np.bincount(rows, weights=each.double().cpu().numpy(), minlength=len(batch))
        result[batch] = sums / np.bincount(rows, minlength=len(batch))
    return result
