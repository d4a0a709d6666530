"""Answers of a checkpoint to test prompts (Section A.3, Table 3)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
)

from nearfirst.errors import InputError
from nearfirst.settings.base import canonical
from nearfirst.settings.generation import GenerateSettings

Ids = npt.NDArray[np.int64]

FIRST_STAGE = 8
"""Tokens after which answers that go on are put into batches of their own; then 8 times as many."""


@dataclass(frozen=True)
class Answer:
    """What a checkpoint wrote after a prompt.

    Attributes
    ----------
    tokens
        (t,) token ids, int64; the last one is EOS if the answer is finished.
    finished
        Whether it came to its end within `max_new_tokens`.
    """

    tokens: Ids
    finished: bool

    def text(self, tokenizer: Any) -> str:
        """Return the answer without special tokens and without white space around it."""
        text: str = tokenizer.decode(
            self.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text.strip()


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
) -> Ids:
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


def check_room(model: Any, prompts: Sequence[Ids], settings: GenerateSettings) -> None:
    """Check that the model has positions for the longest prompt and its answer.

    Raises
    ------
    InputError
        If it has not.
    """
    positions = getattr(model.config, "max_position_embeddings", None)
    longest = max(len(prompt) for prompt in prompts)
    if positions is not None and longest + settings.max_new_tokens > positions:
        raise InputError(
            f"generate.max_new_tokens: the longest prompt has {longest} tokens, and with "
            f"{settings.max_new_tokens} new ones it exceeds the model's {positions} positions; "
            "lower it, or lower template.max_length, which leaves longer prompts out"
        )


@torch.inference_mode()
def generate(
    model: Any,
    prompts: Sequence[Ids],
    ids: Sequence[str],
    settings: GenerateSettings,
    tokenizer: Any,
    *,
    step: int,
    run_seed: int,
    batch_size: int,
) -> list[Answer]:
    """Answer prompts with the `generate` of `transformers`.

    An answer depends on its own prompt, its id and the seeds; not on batch size, order or
    neighbours, but for the rounding of sums (`GenerateSettings.precision`). Answers are written in
    stages, and those that go on share new batches: else one long answer keeps a batch of short
    ones waiting.

    Parameters
    ----------
    model
        A causal language model.
    prompts, ids
        n prompts, token ids that begin with BOS, and the ids of their instances.
    settings
        How to answer.
    tokenizer
        For its BOS and EOS.
    step, run_seed
        The checkpoint, and the seed of its run: another one gives other draws.
    batch_size
        Prompts that are answered together.

    Returns
    -------
    n answers.

    Raises
    ------
    InputError
        If a logit is not finite.
    """
    most = settings.max_new_tokens
    numbers = [uniforms(settings.seed, run_seed, step, id_, most) for id_ in ids]
    so_far = list(prompts)
    unfinished = list(range(len(prompts)))
    done = 0
    while unfinished and done < most:
        until = min(most, 8 * done or FIRST_STAGE)
        # Longest first: near-equal lengths need little padding, and a lack of memory shows at once.
        unfinished.sort(key=lambda i: (-len(so_far[i]), i))
        for first in range(0, len(unfinished), batch_size):
            batch = unfinished[first : first + batch_size]
            longer = _continued(
                model,
                [so_far[i] for i in batch],
                [ids[i] for i in batch],
                np.stack([numbers[i][done:until] for i in batch]),
                settings,
                tokenizer,
            )
            for i, tokens in zip(batch, longer, strict=True):
                so_far[i] = tokens
        unfinished = [i for i in unfinished if so_far[i][-1] != tokenizer.eos_token_id]
        done = until
    return [
        Answer(tokens[len(prompt) :], bool(tokens[-1] == tokenizer.eos_token_id))
        for prompt, tokens in zip(prompts, so_far, strict=True)
    ]


def _continued(
    model: Any,
    prompts: Sequence[Ids],
    ids: Sequence[str],
    numbers: npt.NDArray[np.float64],
    settings: GenerateSettings,
    tokenizer: Any,
) -> list[Ids]:
    """Return the prompts of a batch, longest first, each with what the model writes after it.

    `numbers` are (rows, tokens), as many as are to be written.
    """
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    width = len(prompts[0])
    # Padding must not change the repetition penalty. BOS is in every prompt anyway; EOS would be
    # penalised in padded rows alone, wherever the penalty looks at padding.
    padded = np.full((len(prompts), width), bos, dtype=np.int64)
    mask = np.zeros_like(padded)
    for row, prompt in enumerate(prompts):
        padded[row, width - len(prompt) :] = prompt
        mask[row, width - len(prompt) :] = 1
    processors = LogitsProcessorList([Check(ids)])
    if settings.do_sample:
        processors.append(Draw(settings, numbers, width, eos))
    config = GenerationConfig(
        do_sample=False,  # the draw is ours and leaves one token to choose
        max_new_tokens=numbers.shape[1],
        repetition_penalty=settings.repetition_penalty,
        bos_token_id=bos,
        eos_token_id=eos,
        pad_token_id=bos,
        use_cache=True,  # the config of a model that a Trainer saved says no
    )
    output = model.generate(
        torch.from_numpy(padded).to(model.device),
        attention_mask=torch.from_numpy(mask).to(model.device),
        generation_config=config,
        logits_processor=processors,
    )
    result = []
    for prompt, row in zip(prompts, output.cpu().numpy(), strict=True):
        written = row[width:]
        ends = np.flatnonzero(written == eos)
        result.append(np.concatenate([prompt, written[: ends[0] + 1] if len(ends) else written]))
    return result
