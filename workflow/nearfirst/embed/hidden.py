"""Mean hidden states (RDS+; Ivison et al. 2025, arXiv:2503.01807, as in SGPT, arXiv:2202.08904)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from nearfirst.common.batching import batches
from nearfirst.common.embeddings import empty_matrix
from nearfirst.common.progress import bar
from nearfirst.embed.registry import BLOCK, Keep, Matrix, keep_nothing
from nearfirst.model.logits import pad
from nearfirst.model.template import Tokens


@torch.inference_mode()
def means(
    model: Any, tokens: Sequence[Tokens], batch_tokens: int, keep: Keep = keep_nothing
) -> Matrix:
    """Return Σ_i w_i h_i of N instances, (N, d), with w_i = i / Σ_j j over the tokens of each.

    h_i is the last hidden state at token i (from 1), after the final norm, and d the model's width.
    `batch_tokens` is the number of tokens in a forward pass, padding included; `keep` gets each
    block of `BLOCK` instances, named by its first. A large matrix is on disk, see `empty_matrix`.
    """

    def means_of(block: Sequence[Tokens]) -> Matrix:
        part = np.empty((len(block), width), np.float32)
        for batch in batches([len(item.ids) for item in block], batch_tokens):
            ids = pad([block[i] for i in batch])["input_ids"].to(model.device)
            hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
            lengths = torch.tensor([[len(block[i].ids)] for i in batch], device=ids.device)
            positions = torch.arange(1, ids.shape[1] + 1, device=ids.device)
            weights = torch.where(positions <= lengths, positions, 0)
            weights = weights / (lengths * (lengths + 1) / 2)
            vectors = torch.einsum("bt,btd->bd", weights, hidden.float())
            part[batch] = vectors.cpu().numpy()
            progress.update(len(batch))
        return part

    width = model.config.get_text_config().hidden_size
    result = empty_matrix((len(tokens), width))
    progress: tqdm[Any] = bar((), "instances", len(tokens))
    with progress:
        for start in range(0, len(tokens), BLOCK):
            block = tokens[start : start + BLOCK]
            result[start : start + len(block)] = keep(f"{start:09d}", partial(means_of, block))
            progress.update(start + len(block) - progress.n)
    return result
