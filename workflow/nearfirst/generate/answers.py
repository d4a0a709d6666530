"""Answers of a checkpoint to test prompts (Section A.3, Table 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import GenerationConfig, LogitsProcessorList

from nearfirst.common.errors import InputError
from nearfirst.generate import cache as caches
from nearfirst.generate.sampling import NextToken, uniforms
from nearfirst.generate.settings import GenerateSettings
from nearfirst.model.check import check_embeddings
from nearfirst.model.precision import without_gradients

Ids = npt.NDArray[np.int64]

CHUNK = 8
"""Tokens generated between two checks for answers that have ended, whose rows go to new prompts."""


def check_positions(model: Any, prompts: Sequence[Ids], settings: GenerateSettings) -> None:
    """Raise InputError if the model lacks embeddings, or positions for prompts and answers."""
    check_embeddings(model, prompts)
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = max(len(prompt) for prompt in prompts)
    if positions is not None and longest + settings.max_new_tokens > positions:
        raise InputError(
            f"generate.max_new_tokens: the longest prompt has {longest} tokens, and with "
            f"{settings.max_new_tokens} new ones it exceeds the model's {positions} positions; "
            "lower it, or lower template.max_length, which leaves longer prompts out"
        )


@without_gradients
def generate(
    model: Any,
    prompts: Sequence[Ids],
    ids: Sequence[str],
    settings: GenerateSettings,
    *,
    step: int,
    run_seed: int,
    batch_size: int,
    end_tokens: list[int],
) -> list[Ids]:
    """Return the tokens of an answer to each prompt, from the `generate` of `transformers`.

    An answer depends on its prompt, its id and the seeds; not on batch size, order or neighbours,
    except through the rounding of sums (`GenerateSettings.precision`). The rows of finished answers
    go to new prompts, and unfinished ones keep their keys and values: each prompt is read once, and
    a batch of short answers does not wait for one long answer.

    Parameters
    ----------
    model
        A causal language model.
    prompts, ids
        Arrays of token ids, none of them empty, and the ids of their instances.
    step, run_seed
        The checkpoint, and the seed of its run: both change the sampling.
    end_tokens
        Tokens that end an answer, and are then its last one.

    Raises
    ------
    InputError
        If a logit is not finite.
    """
    # Its generation_config.json would add to `settings`: beams, bans, a minimum length.
    model.generation_config = GenerationConfig()
    max_tokens = settings.max_new_tokens
    numbers = [uniforms(settings.seed, run_seed, step, id_, max_tokens) for id_ in ids]
    sequences = list(prompts)

    def num_left(i: int) -> int:
        num_written = len(sequences[i]) - len(prompts[i])
        return 0 if num_written and sequences[i][-1] in end_tokens else max_tokens - num_written

    def extend(rows: Sequence[int], cache: Any, count: int) -> Any:
        """Write `count` tokens in each row, fewer where it ends, and return the rows' cache.

        `cache` holds the keys and values of all tokens but the last, None if none was read yet.
        """
        texts = [torch.from_numpy(sequences[i]) for i in rows]
        padded = pad_sequence(texts, batch_first=True, padding_value=-1, padding_side="left")
        mask, width = padded >= 0, padded.shape[1]
        # A row is padded with its first token, so padding adds nothing to a repetition penalty.
        padded = padded.where(mask, torch.stack([text[:1] for text in texts]))
        starts = [len(sequences[i]) - len(prompts[i]) for i in rows]
        chosen = np.stack([numbers[i][s : s + count] for i, s in zip(rows, starts, strict=True)])
        next_token = NextToken(settings, [ids[i] for i in rows], chosen, width)
        config = GenerationConfig(
            do_sample=False,  # NextToken leaves one token to choose
            max_new_tokens=count,
            repetition_penalty=settings.repetition_penalty,
            eos_token_id=end_tokens,
            pad_token_id=end_tokens[0],  # of rows that have ended; cut off below
            use_cache=True,  # off in models that a Trainer has saved
            return_dict_in_generate=True,
        )
        output = model.generate(
            padded.to(model.device),
            attention_mask=mask.long().to(model.device),
            generation_config=config,
            logits_processor=LogitsProcessorList([next_token]),
            **({} if cache is None else {"past_key_values": cache}),
        )
        for i, row in zip(rows, output.sequences.cpu().numpy(), strict=True):
            written = row[width:]
            end = np.flatnonzero(np.isin(written, end_tokens))
            written = written[: end[0] + 1] if len(end) else written
            sequences[i] = np.concatenate([sequences[i], written])
        return caches.if_supported(output.past_key_values)

    def cache_width(rows: Sequence[int]) -> int:
        """Return the positions of a cache: all tokens of its longest row but the last."""
        return max(len(sequences[i]) for i in rows) - 1

    # Longest first: near-equal lengths need little padding, and a lack of memory shows at once.
    waiting = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), i))
    rows: list[int] = []
    cache = None
    while waiting or rows:
        if waiting and len(rows) < batch_size:
            room = batch_size - len(rows)
            new, waiting = waiting[:room], waiting[room:]
            cache = caches.join(cache, extend(new, None, 1), cache_width(rows + new))
            rows += new
        else:
            # Without a cache all tokens are read again, so each answer is written to its end.
            limit = max_tokens if cache is None else CHUNK
            cache = extend(rows, cache, min(limit, *(num_left(i) for i in rows)))
        unfinished = [row for row, i in enumerate(rows) if num_left(i)]
        if len(unfinished) < len(rows):
            rows = [rows[row] for row in unfinished]
            cache = caches.select(cache, unfinished, cache_width(rows)) if rows else None
    return [tokens[len(prompt) :] for prompt, tokens in zip(prompts, sequences, strict=True)]
