"""Token sampling that depends only on the instance, the checkpoint and the seeds."""

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
    """Return (count,) random numbers in [0, 1), seeded by one instance at one checkpoint."""
    name = canonical([seed, run_seed, step, id_]).encode()
    instance_seed = int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
    return np.random.default_rng(instance_seed).random(count)


class NextToken(LogitsProcessor):  # type: ignore[misc]
    """Masks all tokens of a row but the sampled one; raises InputError if the model diverged.

    `transformers` samples all rows from one generator, so an answer would depend on its neighbours.
    Here a row's entry in `numbers`, (rows, tokens), selects. `ids` are the instances of the rows,
    and `start` is the length of the padded prompts.
    """

    def __init__(
        self,
        settings: GenerateSettings,
        ids: Sequence[str],
        numbers: npt.NDArray[np.float64],
        start: int,
    ) -> None:
        self.settings, self.ids, self.numbers, self.start = settings, ids, numbers, start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return (rows, vocabulary) scores that are 0 for the sampled token and −∞ elsewhere.

        Unless `do_sample`, they are returned as they are.
        """
        finite = scores.isfinite().all(dim=-1)
        if not finite.all():
            id_ = self.ids[int(finite.int().argmin())]
            raise InputError(
                f"the logits of id '{id_}' are not finite: the run diverged; lower "
                "train.learning_rate"
            )
        if not self.settings.do_sample:
            return scores
        numbers = self.numbers[:, input_ids.shape[1] - self.start]
        tokens = sample_tokens(scores.cpu().numpy(), numbers, self.settings)
        result = torch.full_like(scores, -torch.inf)
        result[range(len(tokens)), tokens] = 0
        return result


def sample_tokens(
    logits: npt.NDArray[np.float32], numbers: npt.NDArray[np.float64], settings: GenerateSettings
) -> npt.NDArray[np.int64]:
    """Sample one token per row, (rows,), by inverting its cumulative distribution.

    `logits` are (rows, vocabulary) and finite, `numbers` (rows,) in [0, 1). The distribution is the
    one `TemperatureLogitsWarper` and then `TopPLogitsWarper` give, except that all equally likely
    tokens at the edge of top-p are kept. On a CPU this takes a fraction of the time of these two,
    which sort the whole vocabulary.
    """
    excess = logits - logits.max(axis=-1, keepdims=True)
    weights = np.exp(excess / settings.temperature)
    pairs = zip(weights, numbers, strict=True)
    return np.array([_sample(row, number, settings.top_p) for row, number in pairs], dtype=np.int64)


def _sample(weights: npt.NDArray[np.float32], number: float, top_p: float) -> int:
    """Return the token that `number` selects; weights are (vocabulary,), and the largest is 1."""
    total = weights.sum(dtype=np.float64)
    outside = (1 - top_p) * total
    # Tokens below the mean share of the mass outside add up to less than it: all are outside.
    tokens = np.flatnonzero(weights >= outside / len(weights))
    candidates = weights[tokens].astype(np.float64)
    if top_p < 1:
        ascending = np.sort(candidates)
        is_within = total - candidates.sum() + ascending.cumsum() > outside
        is_within[-1] = True
        candidates[candidates < ascending[is_within.argmax()]] = 0
    mass = candidates.cumsum()
    # `number` is at most 1 - 2^-53, so the product is below the total mass, and the selected token
    # has a positive weight.
    return int(tokens[np.searchsorted(mass, number * mass[-1], side="right")])
