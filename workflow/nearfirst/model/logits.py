"""What is asked of a base model, whatever its family: right logits, at the positions asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nearfirst.common.errors import InputError
from nearfirst.model.template import IGNORED, Tokens

TOLERANCE = {torch.float32: 2e-4, torch.float64: 2e-4}
"""Of `check`, in nats; in formats not named here 0.05."""

Places = npt.NDArray[np.int64]


def logits_at(model: Any, ids: torch.Tensor, rows: Places, columns: Places) -> torch.Tensor:
    """Return a causal language model's logits at some positions, and compute no others.

    The model's own forward pass runs, so that all that it does to logits is done (Gemma 2 caps
    them, Cohere and Granite scale them); its output embedding is handed these positions alone.

    Parameters
    ----------
    model
        A causal language model of `transformers`.
    ids
        (B, T) token ids on the model's device, padded on the right: causal attention needs no mask.
    rows, columns
        (n,) each, the positions.

    Returns
    -------
    (n, vocabulary).
    """
    at = torch.from_numpy(rows).to(ids.device), torch.from_numpy(columns).to(ids.device)
    given: list[torch.Size] = []

    def pick(_: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        hidden, *others = arguments
        given.append(hidden.shape[:-1])
        return (hidden[at][None], *others) if hidden.shape[:-1] == ids.shape else None

    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(pick) if head is not None else None
    try:
        logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits
    finally:
        if hook is not None:
            hook.remove()
    return logits[0] if given == [ids.shape] else logits[at]


def check(model: Any, tokens: Sequence[Tokens], key: str = "model.name") -> None:
    """Check that a model can be trained and evaluated here, on two short texts.

    `logits_at` of both, padded, must give the losses that the model itself gives of each alone.
    They differ where it looks ahead, or at padding, or where its loss is another than that of
    predicting the next token. A loss that is not finite is not looked at: the run diverged.

    Parameters
    ----------
    model
        A causal language model of `transformers`, whole.
    tokens
        All that it is to see.
    key
        The config's, for the message.

    Raises
    ------
    InputError
        If the losses differ, or the model lacks embeddings or positions for the tokens.
    """
    name = type(model).__name__
    known = model.get_input_embeddings().weight.shape[0]
    highest = max(int(item.ids.max()) for item in tokens)
    if highest >= known:
        raise InputError(
            f"{key}: the tokenizer gives id {highest}, but the {name} has {known} embeddings; "
            "tokenizer and weights must be of one model"
        )
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = max(len(item.ids) for item in tokens)
    if positions is not None and longest > positions:
        raise InputError(
            f"template.max_length: an instance has {longest} tokens, but the {name} has "
            f"{positions} positions; lower it to at most that"
        )
    # Of two lengths; labels are not needed, any token can be predicted.
    first = tokens[0].ids[:48]
    texts = [first, tokens[-1].ids[: max(2, len(first) // 2)]]
    training = model.training
    model.eval()
    try:
        # Inference mode would leave tensors in caches that training cannot use.
        with torch.no_grad():
            ours, own = _ours(model, texts), np.array([_own(model, ids) for ids in texts])
    finally:
        model.train(training)
    apart = np.abs(ours - own)
    if (apart > TOLERANCE.get(model.dtype, 0.05) * np.maximum(1, np.abs(own))).any():
        worst = int(np.nanargmax(apart))
        raise InputError(
            f"{key}: this {name} is no model that predicts the next token from those before "
            f"alone: padded its loss is {ours[worst]:.4f}, by itself {own[worst]:.4f}; give a "
            "causal language model"
        )


def _ours(model: Any, texts: Sequence[Places]) -> npt.NDArray[np.float64]:
    ids = np.zeros((len(texts), max(map(len, texts))), dtype=np.int64)
    targets = np.full_like(ids, IGNORED)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        targets[row, : len(text) - 1] = text[1:]
    rows, columns = np.nonzero(targets != IGNORED)
    logits = logits_at(model, torch.from_numpy(ids).to(model.device), rows, columns)
    right = torch.from_numpy(targets[rows, columns]).to(logits.device)
    each = torch.nn.functional.cross_entropy(logits.float(), right, reduction="none")
    sums = np.bincount(rows, weights=each.double().cpu().numpy())
    means: npt.NDArray[np.float64] = sums / np.bincount(rows)
    return means


def _own(model: Any, text: Places) -> float:
    ids = torch.from_numpy(text)[None].to(model.device)
    # A mixture of experts may add a loss of how it routes: not of the text.
    more = {"output_router_logits": False} if hasattr(model.config, "output_router_logits") else {}
    mask = torch.ones_like(ids)
    return float(
        model(input_ids=ids, attention_mask=mask, labels=ids, use_cache=False, **more).loss
    )
