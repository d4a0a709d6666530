"""Draws of tokens that depend on nothing but the instance, the checkpoint and the seeds."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from transformers import LogitsProcessor

from nearfirst.errors import InputError
from nearfirst.settings.base import canonical
from nearfirst.settings.generation import GenerateSettings


def uniforms(seed: int, run_seed: int, step: int, id_: str, count: int) -> npt.NDArray[np.float64]:
    """Return (count,) numbers from [0, 1) that belong to one instance at one checkpoint."""
    name = canonical([seed, run_seed, step, id_]).encode()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name).digest()[:8], "big")).random(
        count
    )


class Check(LogitsProcessor):  # type: ignore[misc]
    """Stops at logits that are not finite; a model that diverged has no answers."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the (rows, vocabulary) scores as they are."""
        finite = scores.isfinite().all(dim=-1)
        if not finite.all():
            id_ = self.ids[int(finite.int().argmin())]
            raise InputError(
                f"the logits of id '{id_}' are not finite: the run diverged; lower "
                "train.learning_rate"
            )
        return scores


class Draw(LogitsProcessor):  # type: ignore[misc]
    """Leaves each row the one token that its own number falls on.

    The sampling of `transformers` draws all rows from one generator, so that an answer would
    depend on its neighbours.

    Parameters
    ----------
    settings
        Temperature and top-p.
    numbers
        (rows, tokens) numbers from [0, 1), float64.
    start, end
        Length of the padded prompts, and the token that ends an answer.
    """

    def __init__(
        self, settings: GenerateSettings, numbers: npt.NDArray[np.float64], start: int, end: int
    ) -> None:
        self.settings, self.numbers, self.start, self.end = settings, numbers, start, end
        self.live = np.ones(len(numbers), dtype=np.bool_)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return (rows, vocabulary) scores that are 0 for the token drawn and −∞ for others."""
        position = input_ids.shape[1] - self.start
        if position:
            self.live &= input_ids[:, -1].cpu().numpy() != self.end
        live = np.flatnonzero(self.live)
        tokens = draw(scores.cpu().numpy()[live], self.numbers[live, position], self.settings)
        result = torch.full_like(scores, -torch.inf)
        result[live, tokens] = 0
        return result


def draw(
    logits: npt.NDArray[np.float32], numbers: npt.NDArray[np.float64], settings: GenerateSettings
) -> npt.NDArray[np.int64]:
    """Draw a token of each row by the inverse of its cumulated distribution.

    The distribution is that of `TemperatureLogitsWarper` and then `TopPLogitsWarper`, but that
    tokens as likely as the last one within top-p are all kept, whatever order a sort leaves them
    in. On a CPU it takes a fifth of the time that these two need.

    Parameters
    ----------
    logits
        (rows, vocabulary), finite.
    numbers
        (rows,) numbers from [0, 1).

    Returns
    -------
    (rows,) token ids.
    """
    excess = logits - logits.max(axis=-1, keepdims=True)
    weights = np.exp(excess / settings.temperature, dtype=np.float64)
    if settings.top_p < 1:
        ascending = np.sort(weights, axis=-1)
        tail = ascending.cumsum(axis=-1)
        within = tail > (1 - settings.top_p) * tail[:, -1:]
        within[:, -1] = True
        last = np.take_along_axis(ascending, within.argmax(axis=-1)[:, None], axis=-1)
        weights[weights < last] = 0
    mass = weights.cumsum(axis=-1)
    # A number is at most 1 - 2^-53, so its product is below the whole mass, and the token found is
    # one with a mass of its own.
    sought = numbers * mass[:, -1]
    pairs = zip(mass, sought, strict=True)
    return np.array([np.searchsorted(row, x, side="right") for row, x in pairs], dtype=np.int64)
