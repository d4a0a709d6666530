"""Answers of a checkpoint to test prompts (Section A.3, Table 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import GenerationConfig, LogitsProcessorList

from nearfirst.common.errors import InputError
from nearfirst.generate.sampling import Check, Draw, uniforms
from nearfirst.generate.settings import GenerateSettings

Ids = npt.NDArray[np.int64]

FIRST_STAGE = 8
"""Tokens after which answers that go on are put into batches of their own; then 8 times as many."""


@dataclass(frozen=True)
class Answer:
    """What a checkpoint wrote after a prompt.

    Attributes
    ----------
    tokens
        (t,) token ids, int64; the last one is its end if the answer is finished.
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
    ends: Sequence[int] | None = None,
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
        n prompts, token ids, none of them empty, and the ids of their instances.
    settings
        How to answer.
    tokenizer
        For its EOS.
    step, run_seed
        The checkpoint, and the seed of its run: another one gives other draws.
    batch_size
        Prompts that are answered together.
    ends
        Tokens that end an answer; none given is EOS.

    Returns
    -------
    n answers.

    Raises
    ------
    InputError
        If a logit is not finite.
    """
    most = settings.max_new_tokens
    ends = [tokenizer.eos_token_id] if ends is None else list(ends)
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
                ends,
            )
            for i, tokens in zip(batch, longer, strict=True):
                so_far[i] = tokens
        unfinished = [i for i in unfinished if so_far[i][-1] not in ends]
        done = until
    return [
        Answer(tokens[len(prompt) :], bool(tokens[-1] in ends))
        for prompt, tokens in zip(prompts, so_far, strict=True)
    ]


def _continued(
    model: Any,
    prompts: Sequence[Ids],
    ids: Sequence[str],
    numbers: npt.NDArray[np.float64],
    settings: GenerateSettings,
    ends: list[int],
) -> list[Ids]:
    """Return the prompts of a batch, longest first, each with what the model writes after it.

    `numbers` are (rows, tokens), as many as are to be written.
    """
    width = len(prompts[0])
    # Padding must not change the repetition penalty, wherever that looks at padding: a prompt's own
    # first token (BOS, if there is one) is penalised anyway.
    padded = np.repeat([[prompt[0]] for prompt in prompts], width, axis=1)
    mask = np.zeros_like(padded)
    for row, prompt in enumerate(prompts):
        padded[row, width - len(prompt) :] = prompt
        mask[row, width - len(prompt) :] = 1
    processors = LogitsProcessorList([Check(ids)])
    if settings.do_sample:
        processors.append(Draw(settings, numbers, width, ends))
    config = GenerationConfig(
        do_sample=False,  # the draw is ours and leaves one token to choose
        max_new_tokens=numbers.shape[1],
        repetition_penalty=settings.repetition_penalty,
        eos_token_id=ends,
        pad_token_id=ends[0],  # of rows that have ended; it is cut off
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
        end = np.flatnonzero(np.isin(written, ends))
        result.append(np.concatenate([prompt, written[: end[0] + 1] if len(end) else written]))
    return result
