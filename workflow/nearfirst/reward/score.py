"""The rewards of tokenized texts."""

import logging
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch.nn.utils.rnn import pad_sequence

from nearfirst.common.batching import batches
from nearfirst.common.errors import InputError
from nearfirst.model.precision import without_gradients
from nearfirst.reward.exchanges import Ids
from nearfirst.reward.table import REWARDS


def score_answers(answers: pa.Table, scores: npt.NDArray[np.float32], name: str) -> pa.Table:
    """Return the REWARDS table of n answers of a step, given their (n,) rewards; log the mean.

    Raises InputError, which names the reward model, if a reward is not finite.
    """
    step, ids = answers["step"][0], answers["id"]
    if not np.isfinite(scores).all():
        row = int(np.argmin(np.isfinite(scores)))
        raise InputError(
            f"{name}: the reward of id '{ids[row]}' at step {step} is not finite; check the "
            "model's weights, or set reward.scoring.precision: float32"
        )
    logging.info("step %s: mean reward %.4f", step, scores.mean())
    return pa.table([answers["step"], ids, answers["task"], scores], schema=REWARDS)


@without_gradients
def rewards(model: Any, tokens: Sequence[Ids], batch_tokens: int) -> npt.NDArray[np.float32]:
    """Return the (n,) rewards of n texts.

    A forward pass has at most `batch_tokens` tokens, padding included. Raises InputError if a text
    has no token, or one without an embedding in the model.
    """
    _check_tokens(tokens, model.config)
    config = model.config.get_text_config()
    pad_token_id = config.pad_token_id
    if pad_token_id is None:
        # A sequence classifier looks for the last token that is not padding; with an id that ends
        # no text, that is the last real one.
        last = {int(ids[-1]) for ids in tokens}
        config.pad_token_id = next(i for i in count() if i not in last)
    result = np.empty(len(tokens), dtype=np.float32)
    try:
        for batch in batches([len(ids) for ids in tokens], batch_tokens):
            texts = [torch.tensor(tokens[i]) for i in batch]
            mask = pad_sequence([torch.ones_like(text) for text in texts], batch_first=True)
            ids = pad_sequence(texts, batch_first=True, padding_value=config.pad_token_id)
            output = model(input_ids=ids.to(model.device), attention_mask=mask.to(model.device))
            result[batch] = output.logits[:, 0].float().cpu().numpy()
    finally:
        config.pad_token_id = pad_token_id
    return result


def _check_tokens(texts: Sequence[Ids], config: Any) -> None:
    if not all(map(len, texts)):
        raise InputError("reward.text.template: an exchange has no token; put words into it")
    num_embeddings = config.get_text_config().vocab_size
    highest = max((int(ids.max()) for ids in texts), default=0)
    if highest >= num_embeddings:
        raise InputError(
            f"reward.name: the tokenizer gives id {highest}, but the model has {num_embeddings} "
            "embeddings; use tokenizer and weights of one model"
        )
