"""Answers compared with plain transformers, one prompt at a time and without a cache."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from nearfirst.common.errors import InputError
from nearfirst.generate import answers
from nearfirst.generate.answers import generate
from nearfirst.generate.sampling import sample_tokens, uniforms
from nearfirst.generate.settings import GenerateSettings
from nearfirst.model.template import encode

LIMIT = 30
EXACT = GenerateSettings(max_new_tokens=LIMIT, precision="float64")


@pytest.fixture(scope="module")
def exact(tokenizer: Any) -> Any:
    """A random Llama that is far from uniform and writes EOS, and BOS, every few tokens."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=256,
        use_cache=False,  # as the Trainer leaves it
    )
    model = LlamaForCausalLM(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
        for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
            model.lm_head.weight[token] *= 2.5
    return model


@pytest.fixture(scope="module")
def prompts(some_talks: Any, talk: Any, tokenizer: Any) -> list[Any]:
    talks = [*some_talks(18), talk("", "a"), talk("the cat " * 30, "b")]
    return [item.prompt for item in encode(talks, tokenizer, 256)]


def names(count: int) -> list[str]:
    return [f"id-{i}" for i in range(count)]


@pytest.fixture(scope="module")
def answer(exact: Any, tokenizer: Any) -> Callable[..., list[list[int]]]:
    """Answer prompts as lists of tokens: `answer(prompts, settings, batch_size=4)`."""

    def run(
        prompts: Any, settings: Any = EXACT, ids: Any = None, batch_size: int = 4
    ) -> list[list[int]]:
        ends = [tokenizer.eos_token_id]
        options = {"step": 10, "run_seed": 3, "batch_size": batch_size, "end_tokens": ends}
        result = generate(exact, prompts, ids or names(len(prompts)), settings, **options)
        return [tokens.tolist() for tokens in result]

    return run


def by_hand(
    model: Any, prompt: Any, settings: GenerateSettings, numbers: Any, eos: int
) -> list[int]:
    """One answer, each token from a forward pass over all tokens before it."""
    processors = LogitsProcessorList(
        [RepetitionPenaltyLogitsProcessor(settings.repetition_penalty)]
    )
    if settings.do_sample:
        processors.append(TemperatureLogitsWarper(settings.temperature))
        processors.append(TopPLogitsWarper(settings.top_p))
    ids = torch.from_numpy(prompt)[None]
    for number in numbers:
        with torch.no_grad():
            scores = processors(ids, model(input_ids=ids).logits[:, -1].float())
        token = int(scores.argmax())
        if settings.do_sample:
            mass = torch.softmax(scores[0].double(), -1).cumsum(-1)
            token = int((mass <= number * mass[-1]).sum())
        ids = torch.cat([ids, torch.tensor([[token]])], dim=1)
        if token == eos:
            break
    return list(ids[0, len(prompt) :].tolist())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"do_sample": False},
        {"temperature": 2.5, "top_p": 1.0, "repetition_penalty": 1.0},
        {"top_p": 0.4, "repetition_penalty": 3.0},
        {"do_sample": False, "repetition_penalty": 0.9},
        {"top_p": 1e-18},  # the most likely token
        {"max_new_tokens": 3},
    ],
)
def test_answers_are_those_of_a_loop_by_hand(
    answer: Any, exact: Any, prompts: list[Any], tokenizer: Any, changes: dict[str, Any]
) -> None:
    settings = EXACT.model_copy(update=changes)
    result = answer(prompts, settings)
    for name, prompt, row in zip(names(len(prompts)), prompts, result, strict=True):
        numbers = uniforms(settings.seed, 3, 10, name, settings.max_new_tokens)
        assert row == by_hand(exact, prompt, settings, numbers, tokenizer.eos_token_id)


def test_extreme_numbers_select_the_first_and_last_kept_token() -> None:
    rows = np.array([[-20.0, 2, 2, 2, 1.9, -20]] * 2, dtype=np.float32)
    ends = np.array([0, 1 - 2**-53])
    assert sample_tokens(rows, ends, GenerateSettings(top_p=1)).tolist() == [0, 5]
    # All tokens as likely as the last one that top-p needs are kept.
    assert sample_tokens(rows, ends, GenerateSettings(top_p=0.1)).tolist() == [1, 3]
    assert sample_tokens(rows, ends, GenerateSettings(top_p=0.9)).tolist() == [1, 4]
    # A top-p below every token keeps the most likely ones.
    assert sample_tokens(rows, ends, GenerateSettings(top_p=1e-18)).tolist() == [1, 3]


@pytest.fixture(scope="module")
def single(answer: Any, prompts: list[Any], tokenizer: Any) -> list[list[int]]:
    """Answers in batches of one; some end early, some late, some never, and some contain BOS."""
    result: list[list[int]] = answer(prompts, batch_size=1)
    lengths = [len(tokens) for tokens in result]
    assert min(lengths) < answers.CHUNK
    assert any(answers.CHUNK < length < LIMIT for length in lengths)
    assert lengths.count(LIMIT) > 1
    assert sum(tokenizer.bos_token_id in tokens[:-1] for tokens in result) > 1
    return result


@hypothesis_settings(max_examples=10, deadline=None)
@given(st.data())
def test_neighbours_order_and_batch_size_do_not_matter(
    answer: Any, prompts: list[Any], single: Any, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(prompts))))
    subset = order[: data.draw(st.integers(1, len(order)))]
    batch_size = data.draw(st.integers(1, len(prompts) + 1))
    ids = [f"id-{i}" for i in subset]
    result = answer([prompts[i] for i in subset], ids=ids, batch_size=batch_size)
    assert result == [single[i] for i in subset]


def test_seeds_step_and_id_change_the_numbers() -> None:
    keys = [(0, 3, 10, "a"), (1, 3, 10, "a"), (0, 4, 10, "a"), (0, 3, 20, "a"), (0, 3, 10, "b")]
    assert len({uniforms(*key, 1)[0] for key in keys}) == len(keys)


def test_each_prompt_is_read_once_and_padded_with_its_tokens(
    answer: Any, exact: Any, prompts: list[Any], single: Any
) -> None:
    passes = []
    handle = exact.model.embed_tokens.register_forward_hook(
        lambda module, inputs, output: passes.append(inputs[0].numpy())
    )
    # Some answers go on after others have ended and made room.
    assert answer(prompts) == single
    handle.remove()
    # A repetition penalty that looks at padding sees no additional token.
    read = [set(row.tolist()) for batch in passes if batch.shape[1] > 1 for row in batch]
    assert sorted(map(sorted, read)) == sorted(sorted(set(prompt.tolist())) for prompt in prompts)
    # No token is read twice: each later pass takes one token of each row.
    later = [len(batch) for batch in passes if batch.shape[1] == 1]
    assert len(later) < sum(len(tokens) - 1 for tokens in single) / 2


@pytest.mark.parametrize("do_sample", [True, False])
def test_logits_that_are_not_finite_are_refused(
    answer: Any, exact: Any, prompts: list[Any], monkeypatch: pytest.MonkeyPatch, do_sample: bool
) -> None:
    weights = exact.model.embed_tokens.weight.data.clone()
    weights[7] = torch.nan
    monkeypatch.setattr(exact.model.embed_tokens.weight, "data", weights)
    settings = EXACT.model_copy(update={"do_sample": do_sample, "max_new_tokens": 1})
    prompts = [prompt[prompt != 7] for prompt in prompts]
    assert len(answer(prompts, settings)) == len(prompts)
    prompts[5] = np.append(prompts[5], 7)
    with pytest.raises(InputError, match=r"logits of id 'id-5' are not finite.+learning_rate"):
        answer(prompts, settings)


def test_an_answer_needs_positions(exact: Any, prompts: list[Any]) -> None:
    longest = max(len(prompt) for prompt in prompts)
    fits = EXACT.model_copy(update={"max_new_tokens": 256 - longest})
    answers.check_positions(exact, prompts, fits)
    with pytest.raises(InputError, match=rf"^generate\.max_new_tokens: .+{longest}.+256 positions"):
        answers.check_positions(exact, prompts, fits.model_copy(update={"max_new_tokens": 200}))
    wrong = np.append(prompts[0], exact.config.vocab_size)
    with pytest.raises(InputError, match=rf"gives id {wrong[-1]}, but .* {wrong[-1]} embeddings"):
        answers.check_positions(exact, [*prompts, wrong], fits)


@pytest.mark.parametrize(
    "theirs", [{"num_beams": 2}, {"min_new_tokens": 9}, {"suppress_tokens": [5]}], ids=str
)
def test_settings_that_come_with_a_model_do_not_count(
    theirs: dict[str, Any], answer: Any, exact: Any, prompts: list[Any], single: Any
) -> None:
    exact.generation_config.update(**theirs)
    assert answer(prompts[:4]) == single[:4]
