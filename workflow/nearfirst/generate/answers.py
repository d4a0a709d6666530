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
from nearfirst.generate import cache as caches
from nearfirst.generate.sampling import CheckFinite, SampleToken, uniforms
from nearfirst.generate.settings import GenerateSettings

Ids = npt.NDArray[np.int64]

CHUNK = 8
"""Tokens of an answer before the next look at which have ended and make room for other prompts."""


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
    except for the rounding of sums (`GenerateSettings.precision`). Answers that have ended make
    room for the next prompts, and those that go on keep their keys and values: each prompt is read
    once, and a batch of short answers does not wait for its one long answer.

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

    def left(i: int) -> int:
        written = len(so_far[i]) - len(prompts[i])
        return 0 if written and so_far[i][-1] in ends else limit - written

    def write(rows: Sequence[int], cache: Any, count: int) -> Any:
        """Write `count` tokens in each row, fewer where it ends; return the cache."""
        given = [so_far[i] for i in rows]
        begun = [len(so_far[i]) - len(prompts[i]) for i in rows]
        longer, cache = _extend(
            model,
            given,
            cache,
            [ids[i] for i in rows],
            np.stack([numbers[i][at : at + count] for i, at in zip(rows, begun, strict=True)]),
            settings,
            ends,
        )
        for i, tokens in zip(rows, longer, strict=True):
            so_far[i] = tokens
        return cache

    def width(rows: Sequence[int]) -> int:
        """Return the positions of a cache: its rows' tokens, but for the last one."""
        return max(len(so_far[i]) for i in rows) - 1

    # Longest first: near-equal lengths need little padding, and a lack of memory shows at once.
    waiting = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), i))
    rows: list[int] = []
    cache = None
    while waiting or rows:
        if waiting and len(rows) < batch_size:
            room = batch_size - len(rows)
            new, waiting = waiting[:room], waiting[room:]
            cache = caches.join(cache, write(new, None, 1), width(rows + new))
            rows += new
        else:
            # Without a cache all tokens are read again: then the answers are written to their end.
            longest = limit if cache is None else CHUNK
            cache = write(rows, cache, min(longest, *(left(i) for i in rows)))
        stay = [at for at, i in enumerate(rows) if left(i)]
        if len(stay) < len(rows):
            rows = [rows[at] for at in stay]
            cache = caches.select(cache, stay, width(rows)) if rows else None
    return [
        Answer(tokens[len(prompt) :], bool(tokens[-1] in ends))
        for prompt, tokens in zip(prompts, so_far, strict=True)
    ]


def _extend(
    model: Any,
    prompts: Sequence[Ids],
    cache: Any,
    ids: Sequence[str],
    numbers: npt.NDArray[np.float64],
    settings: GenerateSettings,
    ends: list[int],
) -> tuple[list[Ids], Any]:
    """Return a batch of prompts, each followed by what the model writes, and their cache.

    `cache` holds the keys and values of all tokens but the last, if they were read before;
    `numbers`, (rows, tokens), sets the number of tokens to write.
    """
    width = max(map(len, prompts))
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
        return_dict_in_generate=True,
    )
    output = model.generate(
        padded.to(model.device),
        attention_mask=mask.long().to(model.device),
        generation_config=config,
        logits_processor=processors,
        **({} if cache is None else {"past_key_values": cache}),
    )
    result = []
    for prompt, row in zip(prompts, output.sequences.cpu().numpy(), strict=True):
        written = row[width:]
        end = np.flatnonzero(np.isin(written, ends))
        result.append(np.concatenate([prompt, written[: end[0] + 1] if len(end) else written]))
    return result, caches.usable(output.past_key_values)
