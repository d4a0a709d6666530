"""The check that a model of any family can be trained and evaluated here."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nearfirst.common.errors import InputError
from nearfirst.model import loss
from nearfirst.model.precision import tolerance
from nearfirst.model.template import Tokens


def check_embeddings(model: Any, ids: Sequence[npt.NDArray[np.int64]]) -> None:
    """Raise InputError if a model lacks the embedding of a token."""
    num_embeddings = model.get_input_embeddings().weight.shape[0]
    highest = max(int(text.max()) for text in ids)
    if highest >= num_embeddings:
        raise InputError(
            f"model.name: the tokenizer gives id {highest}, but the {type(model).__name__} has "
            f"{num_embeddings} embeddings; use the tokenizer and the weights of the same model"
        )


def check_model(model: Any, tokens: Sequence[Tokens]) -> None:
    """Check that a model can hold all instances and predicts each token from earlier ones only.

    Two short texts must have the same losses in one padded batch as alone; they differ if the model
    looks ahead or at padding. Non-finite losses pass: the run diverged.

    Raises InputError if the losses differ, or the model has too few embeddings or positions.
    """
    name = type(model).__name__
    check_embeddings(model, [item.ids for item in tokens])
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = max(len(item.ids) for item in tokens)
    if positions is not None and longest > positions:
        raise InputError(
            f"template.max_length: an instance has {longest} tokens, but the {name} has "
            f"{positions} positions; lower template.max_length to {positions}"
        )
    first = tokens[0].ids[:48]
    # Every token is a label.
    texts = [Tokens(ids, ids) for ids in (first, tokens[-1].ids[: max(2, len(first) // 2)])]
    training = model.training
    model.eval()
    try:
        # Inference mode would leave tensors in caches that training cannot use.
        with torch.no_grad():
            batched = loss.mean_losses(model, texts)
            single = np.array([_single_loss(model, text) for text in texts])
    finally:
        model.train(training)
    difference = np.abs(batched - single)
    if (difference > tolerance(model) * np.maximum(1, np.abs(single))).any():
        worst = int(np.nanargmax(difference))
        raise InputError(
            f"model.name: this {name} does not predict each token from earlier tokens only: a "
            f"text has loss {batched[worst]:.4f} in a padded batch, {single[worst]:.4f} alone; "
            "use a causal language model"
        )


def _single_loss(model: Any, text: Tokens) -> float:
    ids = torch.from_numpy(text.ids)[None].to(model.device)
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
    return float(loss.token_losses(logits[0, :-1], ids[0, 1:]).mean())
