"""Token sampling that depends on nothing but the instance, the checkpoint and the seeds."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from transformers import LogitsProcessor

from nearfirst.common.errors import InputError
from nearfirst.common.settings import canonical
from nearfirst.generate.settings import GenerateSettings


def uniforms(seed: int, run_seed: int, step: int, id_: str, count: int) -> npt.NDArray[np.float64]:
    """Return (count,) random numbers in [0, 1) that belong to one instance at one checkpoint."""
    name = canonical([seed, run_seed, step, id_]).encode()
    own = int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
    return np.random.default_rng(own).random(count)


class CheckFinite(LogitsProcessor):  # type: ignore[misc]
    """Raises InputError at logits that are not finite: the model diverged."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the (rows, vocabulary) scores unchanged."""
        finite = scores.isfinite().all(dim=-1)
        if not finite.all():
            id_ = self.ids[int(finite.int().argmin())]
            raise InputError(
                f"the logits of id '{id_}' are not finite: the run diverged; lower "
                "train.learning_rate"
            )
        return scores


class SampleToken(LogitsProcessor):  # type: ignore[misc]
    """Leaves each row the one token that its own number of the (rows, tokens) `numbers` selects.

    The sampling of `transformers` draws all rows from one generator, so an answer would depend on
    its neighbours. `start` is the length of the padded prompts; the tokens `ends` end an answer.
    """

    def __init__(
        self,
        settings: GenerateSettings,
        numbers: npt.NDArray[np.float64],
        start: int,
        ends: Sequence[int],
    ) -> None:
        self.settings, self.numbers, self.start, self.ends = settings, numbers, start, ends
        self.live = np.ones(len(numbers), dtype=np.bool_)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return (rows, vocabulary) scores that are 0 for the sampled token and −∞ elsewhere."""
        position = input_ids.shape[1] - self.start
        if position:
            self.live &= ~np.isin(input_ids[:, -1].cpu().numpy(), self.ends)
        live = np.flatnonzero(self.live)
        logits, numbers = scores.cpu().numpy()[live], self.numbers[live, position]
        result = torch.full_like(scores, -torch.inf)
        result[live, sample_tokens(logits, numbers, self.settings)] = 0
        return result


def sample_tokens(
    logits: npt.NDArray[np.float32], numbers: npt.NDArray[np.float64], settings: GenerateSettings
) -> npt.NDArray[np.int64]:
    """Return a token of each row, (rows,), by the inverse of its cumulative distribution.

    `logits` are (rows, vocabulary) and finite, `numbers` (rows,) in [0, 1). The distribution is
    that of `TemperatureLogitsWarper` and then `TopPLogitsWarper`, except that of equally likely
    tokens at the edge of top-p all stay, whatever their order after sorting. On a CPU it takes a
    fraction of the time of these two, which sort the whole vocabulary.
    """
    excess = logits - logits.max(axis=-1, keepdims=True)
    weights = np.exp(excess / settings.temperature)
    pairs = zip(weights, numbers, strict=True)
    return np.array([_sample(row, number, settings.top_p) for row, number in pairs], dtype=np.int64)


def _sample(weights: npt.NDArray[np.float32], number: float, top_p: float) -> int:
    """Return the token that a number selects; (vocabulary,) weights, the largest of which is 1."""
    total = weights.sum(dtype=np.float64)
    outside = (1 - top_p) * total
    # Tokens below the mean share of the mass outside add up to less than it: all are outside.
    tokens = np.flatnonzero(weights >= outside / len(weights))
    likely = weights[tokens].astype(np.float64)
    if top_p < 1:
        ascending = np.sort(likely)
        within = total - likely.sum() + ascending.cumsum() > outside
        within[-1] = True
        likely[likely < ascending[within.argmax()]] = 0
    mass = likely.cumsum()
    # A number is at most 1 - 2^-53, so its product is below the whole mass, and the token found has
    # a mass of its own.
    return int(tokens[np.searchsorted(mass, number * mass[-1], side="right")])
