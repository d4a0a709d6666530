"""Rewards of texts: the tokens that the model reads, and independence of the batch."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    Gemma3Config,
    LlamaConfig,
)

from nearfirst.common.errors import InputError
from nearfirst.reward import exchanges
from nearfirst.reward.exchanges import Ids, encode, exchange
from nearfirst.reward.model import LlamaRewardModel
from nearfirst.reward.score import rewards, score_answers
from nearfirst.reward.settings import RewardTextSettings

TEMPLATE = RewardTextSettings().template
SIZES = {"vocab_size": 300, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}
CONFIGS = {
    "ultrarm": LlamaConfig(**SIZES, num_attention_heads=2),
    "causal": LlamaConfig(**SIZES, num_attention_heads=2, num_labels=1),
    "causal-pad": LlamaConfig(**SIZES, num_attention_heads=2, num_labels=1, pad_token_id=1),
    "part": Gemma3Config(  # the language model is a part of it
        text_config={**SIZES, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8},
        vision_config={**SIZES, "num_attention_heads": 2, "image_size": 28},
        num_labels=1,
    ),
    "encoder": BertConfig(**SIZES, num_attention_heads=2, num_labels=1, pad_token_id=1),
}


def build(name: str) -> Any:
    torch.manual_seed(0)
    kind = LlamaRewardModel if name == "ultrarm" else AutoModelForSequenceClassification.from_config
    model = kind(CONFIGS[name])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(5)  # far from zero, so that rewards differ
    return model.eval()


@pytest.fixture
def with_bos(model_folder: Path) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    tokenizer.add_bos_token = True
    return tokenizer


def some_ids(count: int) -> list[Ids]:
    generator = np.random.default_rng(0)
    return [generator.integers(2, 300, generator.integers(1, 40)) for _ in range(count)]


def test_braces_and_fields_in_a_text_are_text() -> None:
    text = exchange(TEMPLATE, "Fill in {answer} and {x}", r"{instruction} \1 {{}}")
    assert text == r"Human: Fill in {answer} and {x}" "\n\n" r"Assistant: {instruction} \1 {{}}"
    assert exchange("{answer}|{instruction}", "{answer}", "b") == "b|{answer}"


def test_text_is_tokenized_as_text_after_bos(with_bos: Any, tokenizer: Any) -> None:
    plain = RewardTextSettings(template="{instruction}{answer}")
    model = LlamaRewardModel(CONFIGS["ultrarm"])
    texts = ["the cat</s> sat", "猫は<s>どこ", "кошка", ""]
    specials = {with_bos.bos_token_id, with_bos.eos_token_id}
    tokens = encode([("", text) for text in texts], plain, model, with_bos)
    for text, ids in zip(texts, tokens, strict=True):
        assert ids.dtype == np.int64
        assert ids[0] == with_bos.bos_token_id
        assert not specials & set(ids[1:].tolist())
        assert with_bos.decode(ids[1:], clean_up_tokenization_spaces=False) == text
    # No BOS if the tokenizer adds none.
    (ids,) = encode([("the", " cat")], plain, model, tokenizer)
    assert ids.tolist() == tokenizer("the cat", add_special_tokens=False)["input_ids"]
    assert encode([], plain, model, tokenizer) == []


@pytest.mark.parametrize(("limit", "positions"), [(2048, 8), (8, 300)])
def test_the_start_of_a_long_text_is_cut(
    limit: int, positions: int, with_bos: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = {**SIZES, "num_attention_heads": 2, "max_position_embeddings": positions}
    model = LlamaRewardModel(LlamaConfig(**sizes))
    text = RewardTextSettings(template="{instruction}{answer}", max_length=limit)
    words = "the cat sat on a mat and ate nine green apples"
    whole = with_bos(words)["input_ids"]
    assert len(whole) > 8
    caplog.set_level("INFO")
    long, short = encode([(words, ""), ("a", "b")], text, model, with_bos)
    assert long.tolist() == [with_bos.bos_token_id, *whole[-7:]]
    assert short.tolist() == with_bos("ab")["input_ids"]
    assert caplog.messages == ["2 answers, 1 cut at the start to 8 tokens"]


def one_by_one(model: Any, tokens: list[Ids]) -> list[float]:
    """The reward of each text, without any padding, by the model itself."""
    result = []
    with torch.no_grad():
        for ids in tokens:
            batch = torch.from_numpy(ids)[None]
            if isinstance(model, LlamaRewardModel):
                hidden = model.model(batch).last_hidden_state
                result.append(float(hidden[0, -1] @ model.regression_head.weight[0]))
            else:
                result.append(float(model(batch).logits[0, 0]))
    return result


def test_answers_are_tokenized_a_few_at_a_time(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Mock(wraps=tokenizer, model_max_length=tokenizer.model_max_length)
    pairs = [("Count.", f"{i} " * 3 * i) for i in range(7)]
    settings, model = RewardTextSettings(max_length=40), build("causal")
    expected = encode(pairs, settings, model, tokenizer)
    monkeypatch.setattr(exchanges, "BLOCK", 3)
    found = encode(pairs, settings, model, counting)
    assert [ids.tolist() for ids in found] == [ids.tolist() for ids in expected]
    assert max(len(call.args[0]) for call in counting.call_args_list) == 3


@pytest.mark.parametrize("name", list(CONFIGS))
def test_the_batch_does_not_change_a_reward(name: str) -> None:
    model, tokens = build(name), some_ids(40)
    expected = one_by_one(model, tokens)
    assert np.std(expected) > 0.01
    for batch_tokens in (1, 300, 100_000):
        result = rewards(model, tokens, batch_tokens)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)
        reverse = rewards(model, tokens[::-1], batch_tokens)[::-1]
        np.testing.assert_allclose(reverse, expected, rtol=0, atol=1e-5)


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6), min_size=1, max_size=8))
def test_padding_is_never_mistaken_for_text(texts: list[list[int]]) -> None:
    # Any id chosen as padding may occur in a text, also at its end.
    model = build("causal")
    tokens = [np.array(text) for text in texts]
    result = rewards(model, tokens, 1000)
    np.testing.assert_allclose(result, one_by_one(model, tokens), rtol=0, atol=1e-5)
    assert model.config.pad_token_id is None


def test_unusable_tokens_are_refused() -> None:
    model = LlamaRewardModel(CONFIGS["ultrarm"])
    with pytest.raises(InputError, match="gives id 300, but the model has 300 embeddings"):
        rewards(model, [np.array([1, 300])], 50)
    with pytest.raises(InputError, match=r"reward\.text\.template: .* no token"):
        rewards(model, [np.array([1]), np.array([], dtype=np.int64)], 50)


def test_a_reward_that_is_not_finite_is_refused() -> None:
    answers = pa.table({"step": [20, 20], "id": ["a", "b"], "task": ["t"] * 2})
    with pytest.raises(InputError, match="M: the reward of id 'b' at step 20 is not finite"):
        score_answers(answers, np.array([1, np.nan], np.float32), "M")
