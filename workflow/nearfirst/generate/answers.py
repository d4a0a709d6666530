"""Answers of a checkpoint to test prompts (Section A.3, Table 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import GenerationConfig, LogitsProcessorList

from nearfirst.common.errors import InputError
from nearfirst.generate.sampling import CheckFinite, SampleToken, uniforms
from nearfirst.generate.settings import GenerateSettings

Ids = npt.NDArray[np.int64]

FIRST_STAGE = 8
"""Tokens of the first stage, after which unfinished answers share new batches; then 8 times it."""


@dataclass(frozen=True)
class Answer:
    """What a checkpoint wrote after a prompt."""

    tokens: Ids
    """(t,) token ids; if the answer is finished, the last one is its end."""
    finished: bool
    """Whether it ended within `max_new_tokens`."""

    def text(self, tokenizer: Any) -> str:
        """Return the answer without special tokens and without white space around it."""
        text: str = tokenizer.decode(
            self.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text.strip()


def check_positions(model: Any, prompts: Sequence[Ids], settings: GenerateSettings) -> None:
    """Raise InputError if the model lacks positions for the longest prompt and its answer."""
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
    *,
    step: int,
    run_seed: int,
    batch_size: int,
    ends: list[int],
) -> list[Answer]:
    """Answer prompts with the `generate` of `transformers`.

    An answer depends on its prompt, its id and the seeds; not on batch size, order or neighbours,
    except for the rounding of sums (`GenerateSettings.precision`). Generation runs in stages, after
    each of which unfinished answers share new batches: else a batch of short answers would wait for
    its one long answer.

    Parameters
    ----------
    model
        A causal language model.
    prompts, ids
        Arrays of token ids, none of them empty, and the ids of their instances.
    step, run_seed
        The checkpoint, and the seed of its run: both change the sampling.
    ends
        Tokens that end an answer.

    Raises
    ------
    InputError
        If a logit is not finite.
    """
    limit = settings.max_new_tokens
    numbers = [uniforms(settings.seed, run_seed, step, id_, limit) for id_ in ids]
    so_far = list(prompts)
    unfinished = list(range(len(prompts)))
    done = 0
    while unfinished and done < limit:
        until = min(limit, 8 * done or FIRST_STAGE)
        # Longest first: near-equal lengths need little padding, and a lack of memory shows at once.
        unfinished.sort(key=lambda i: (-len(so_far[i]), i))
        for first in range(0, len(unfinished), batch_size):
            batch = unfinished[first : first + batch_size]
            longer = _extend(
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


def _extend(
    model: Any,
    prompts: Sequence[Ids],
    ids: Sequence[str],
    numbers: npt.NDArray[np.float64],
    settings: GenerateSettings,
    ends: list[int],
) -> list[Ids]:
    """Return a batch of prompts, longest first, each followed by what the model writes.

    `numbers`, (rows, tokens), sets the number of tokens to write.
    """
    width = len(prompts[0])
    rows = [torch.from_numpy(prompt) for prompt in prompts]
    padded = pad_sequence(rows, batch_first=True, padding_value=-1, padding_side="left")
    mask = padded >= 0
    # A prompt's own first token pads it, so that padding adds nothing to a repetition penalty.
    padded = padded.where(mask, torch.tensor([[prompt[0]] for prompt in prompts]))
    processors = LogitsProcessorList([CheckFinite(ids)])
    if settings.do_sample:
        processors.append(SampleToken(settings, numbers, width, ends))
    config = GenerationConfig(
        do_sample=False,  # the sampling is ours and leaves one token to choose
        max_new_tokens=numbers.shape[1],
        repetition_penalty=settings.repetition_penalty,
        eos_token_id=ends,
        pad_token_id=ends[0],  # of rows that have ended; cut off below
        use_cache=True,  # not the default of a model that a Trainer has saved
    )
    output = model.generate(
        padded.to(model.device),
        attention_mask=mask.long().to(model.device),
        generation_config=config,
        logits_processor=processors,
    )
    result = []
    for prompt, row in zip(prompts, output.cpu().numpy(), strict=True):
        written = row[width:]
        end = np.flatnonzero(np.isin(written, ends))
        result.append(np.concatenate([prompt, written[: end[0] + 1] if len(end) else written]))
    return result
