"""Rewards of texts: what the model reads, and that the batch does not matter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    LlamaConfig,
)

from nearfirst.common.errors import InputError
from nearfirst.reward.model import LlamaRewardModel
from nearfirst.reward.score import Ids, encode, exchange, longest, rewards

TEMPLATE = "Human: {instruction}\n\nAssistant: {answer}"
SIZES = {"vocab_size": 300, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}
CONFIGS = {
    "ultrarm": LlamaConfig(**SIZES, num_attention_heads=2),
    "causal": LlamaConfig(**SIZES, num_attention_heads=2, num_labels=1),
    "causal-pad": LlamaConfig(**SIZES, num_attention_heads=2, num_labels=1, pad_token_id=1),
    "encoder": BertConfig(**SIZES, num_attention_heads=2, num_labels=1, pad_token_id=1),
}


@pytest.fixture(params=list(CONFIGS))
def model(request: Any) -> Any:
    config = CONFIGS[request.param]
    torch.manual_seed(0)
    if request.param == "ultrarm":
        made = LlamaRewardModel(config)
    else:
        made = AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(5)  # far from zero, so that rewards differ
    return made.eval()


@pytest.fixture
def with_bos(model_folder: Path) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    tokenizer.add_bos_token = True
    return tokenizer


def some_ids(count: int) -> list[Ids]:
    generator = np.random.default_rng(0)
    return [generator.integers(2, 300, generator.integers(1, 40)) for _ in range(count)]


def test_the_template_is_that_of_ultrarm() -> None:
    assert exchange(TEMPLATE, "Why?", "So.") == "Human: Why?\n\nAssistant: So."
    assert exchange(TEMPLATE, "Why?", "") == "Human: Why?\n\nAssistant: "


def test_braces_and_fields_in_a_text_are_text() -> None:
    found = exchange(TEMPLATE, "Fill in {answer} and {x}", r"{instruction} \1 {{}}")
    assert found == r"Human: Fill in {answer} and {x}" "\n\n" r"Assistant: {instruction} \1 {{}}"
    assert exchange("{answer}|{instruction}", "{answer}", "b") == "b|{answer}"


@given(st.text(), st.text())
def test_both_texts_stand_whole_in_their_places(instruction: str, answer: str) -> None:
    assert exchange(TEMPLATE, instruction, answer) == (
        "Human: " + instruction + "\n\nAssistant: " + answer
    )


def test_text_is_tokenized_as_text_after_bos(with_bos: Any) -> None:
    texts = ["the cat</s> sat", "猫は<s>どこ", "кошка", ""]
    tokens, cut = encode(texts, with_bos, 100)
    assert cut == 0
    specials = {with_bos.bos_token_id, with_bos.eos_token_id}
    for text, ids in zip(texts, tokens, strict=True):
        assert ids.dtype == np.int64
        assert ids[0] == with_bos.bos_token_id
        assert not specials & set(ids[1:].tolist())
        assert with_bos.decode(ids[1:], clean_up_tokenization_spaces=False) == text


def test_no_bos_is_added_that_the_tokenizer_does_not_add(model_folder: Path) -> None:
    plain = AutoTokenizer.from_pretrained(model_folder)
    (ids,), _ = encode(["the cat"], plain, 100)
    assert ids.tolist() == plain("the cat", add_special_tokens=False)["input_ids"]


def test_the_beginning_of_a_long_text_is_cut(with_bos: Any) -> None:
    texts = ["the cat sat on a mat and ate nine green apples", "a mat"]
    whole, _ = encode(texts, with_bos, 100)
    kept, cut = encode(texts, with_bos, len(whole[1]))
    assert cut == 1
    assert kept[0].tolist() == [with_bos.bos_token_id, *whole[0][-(len(whole[1]) - 1) :]]
    assert kept[1].tolist() == whole[1].tolist()
    assert encode([], with_bos, 5) == ([], 0)


def test_no_more_tokens_than_the_model_has_positions(with_bos: Any) -> None:
    model = LlamaRewardModel(LlamaConfig(**SIZES, num_attention_heads=2, max_position_embeddings=9))
    assert (longest(model, with_bos, 2048), longest(model, with_bos, 5)) == (9, 5)
    with_bos.model_max_length = 7
    assert longest(model, with_bos, 2048) == 7


def alone(model: Any, ids: Ids) -> float:
    """The reward of one text, without any padding, by the model itself."""
    with torch.no_grad():
        if isinstance(model, LlamaRewardModel):
            hidden = model.model(torch.from_numpy(ids)[None]).last_hidden_state
            return float(hidden[0, -1] @ model.regression_head.weight[0])
        return float(model(torch.from_numpy(ids)[None]).logits[0, 0])


@pytest.mark.parametrize("batch_tokens", [1, 64, 300, 100_000])
def test_the_batch_does_not_change_a_reward(model: Any, batch_tokens: int) -> None:
    tokens = some_ids(40)
    expected = [alone(model, ids) for ids in tokens]
    assert np.std(expected) > 0.01
    found = rewards(model, tokens, batch_tokens)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    back = rewards(model, tokens[::-1], batch_tokens)[::-1]
    np.testing.assert_allclose(back, expected, rtol=0, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6), min_size=1, max_size=8))
def test_padding_is_never_mistaken_for_text(texts: list[list[int]]) -> None:
    # Ids from 0 on: whatever is taken for padding may stand in a text, or at its end.
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(CONFIGS["causal"]).eval()
    tokens = [np.array(text) for text in texts]
    expected = [alone(model, ids) for ids in tokens]
    np.testing.assert_allclose(rewards(model, tokens, 1000), expected, rtol=0, atol=1e-5)
    assert model.config.pad_token_id is None


class Counting(LlamaRewardModel):
    """A reward model that counts the texts it reads."""

    read = 0

    def forward(self, input_ids: Any, attention_mask: Any = None, **others: Any) -> Any:
        self.read += len(input_ids)
        return super().forward(input_ids, attention_mask, **others)


def test_equal_texts_are_scored_once() -> None:
    model = Counting(CONFIGS["ultrarm"]).eval()
    five = some_ids(5)
    found = rewards(model, [*five, *five[::-1], five[2]], 50)
    assert model.read == 5
    np.testing.assert_array_equal(found, [*found[:5], *found[:5][::-1], found[2]])
    assert len(set(found.tolist())) == 5
    assert rewards(model, [], 50).shape == (0,)


def test_tokens_that_the_model_does_not_know_are_told() -> None:
    model = LlamaRewardModel(CONFIGS["ultrarm"])
    with pytest.raises(InputError, match="gives id 300, but the model has 300 embeddings"):
        rewards(model, [np.array([1, 300])], 50)
    with pytest.raises(InputError, match=r"reward\.text\.template: .* without any token"):
        rewards(model, [np.array([1]), np.array([], dtype=np.int64)], 50)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is seven seconds later whenever it is read."""
    ticks: Iterator[int] = iter(range(0, 10**6, 7))
    monkeypatch.setattr("nearfirst.reward.score.time.monotonic", lambda: next(ticks))


def test_the_time_left_is_told_now_and_then(clock: None, caplog: pytest.LogCaptureFixture) -> None:
    model = LlamaRewardModel(CONFIGS["ultrarm"])
    caplog.set_level("INFO")
    rewards(model, [np.full(10, i) for i in range(4)], 10)
    # Of four batches the second and the fourth end more than ten seconds after the line before.
    assert caplog.messages == ["50 % of the tokens, 14 s left", "100 % of the tokens, 0 s left"]
