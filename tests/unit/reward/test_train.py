"""Bradley–Terry training of a small reward model, and its accuracy."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from files import contents
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from nearfirst.common.errors import InputError
from nearfirst.reward.exchanges import encode
from nearfirst.reward.model import LlamaRewardModel, load_reward_model
from nearfirst.reward.score import rewards
from nearfirst.reward.settings import RewardTextSettings, RewardTrainingSettings
from nearfirst.reward.train import (
    accuracy_table,
    bradley_terry,
    collate,
    fork,
    from_base,
    rewards_of_pairs,
    train,
)

SIZES = {"vocab_size": 300, "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
TEXT = RewardTextSettings(max_length=64)
SHORT = RewardTrainingSettings(epochs=2, batch_size=4, learning_rate=1e-2, warmup_steps=2)


def pairs(count: int, held_out: int) -> pd.DataFrame:
    """Pairs in which an answer about a cat is chosen and one about a mat rejected."""
    ids = range(count)
    return pd.DataFrame(
        {
            "id": [str(i) for i in ids],
            "dataset": ["ab"[i % 2] for i in ids],
            "task": [f"task-{i % 5}" for i in ids],
            "instruction": [f"{i} {'green ' * (i % 4)}apples?" for i in ids],
            "chosen": [f"{'nine ' * (i % 3)}cat" for i in ids],
            "rejected": [f"{'nine ' * (i % 2)}mat" for i in ids],
            "corruption": [("noise", "other-task", "empty")[i % 3] for i in ids],
            "held_out": [i < held_out for i in ids],
        }
    )


@pytest.mark.parametrize(
    ("chosen", "rejected", "loss"),
    [
        ([1.0], [0.0], math.log(1 + math.exp(-1))),
        ([2.0, 0.0], [2.0, math.log(3)], (math.log(2) + math.log(4)) / 2),
        ([0.0], [1000.0], 1000.0),
    ],
)
def test_bradley_terry_by_hand(chosen: list[float], rejected: list[float], loss: float) -> None:
    result = bradley_terry(torch.tensor(chosen), torch.tensor(rejected))
    assert result.item() == pytest.approx(loss, rel=1e-6)


TOKENS = st.lists(st.integers(2, 20), min_size=1, max_size=8)


@settings(max_examples=60)
@given(st.lists(st.tuples(TOKENS, TOKENS, TOKENS), min_size=1, max_size=5))
def test_a_forked_pair_has_the_rewards_of_its_texts(
    triples: list[tuple[list[int], list[int], list[int]]],
) -> None:
    texts = [
        [np.array([1, *prompt, *answer]) for answer in answers] for prompt, *answers in triples
    ]
    # One text is a prefix of the other, both ways.
    texts += [[np.array([1, 2, 3]), np.array([1, 2])], [np.array([1]), np.array([1, 4, 5])]]
    torch.manual_seed(0)
    model = LlamaRewardModel(LlamaConfig(**SIZES, num_hidden_layers=2)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(5)
        batch = collate([fork(*pair) for pair in texts])
        result = rewards_of_pairs(model, batch).numpy()
    expected = np.stack([rewards(model, side, 100) for side in zip(*texts, strict=True)], axis=1)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)


def test_the_common_beginning_is_read_once() -> None:
    item = fork(np.array([1, 2, 3, 4]), np.array([1, 2, 5]))
    assert item["input_ids"].tolist() == [1, 2, 3, 4, 5]
    assert collate([item])["position_ids"].tolist() == [[0, 1, 2, 3, 2]]
    assert collate([item])["attention_mask"][0, 0, 4].tolist() == [True, True, False, False, True]


def test_the_start_is_the_base_with_bos(model_folder: Path) -> None:
    model, tokenizer = from_base(str(model_folder), 3)
    weights = LlamaForCausalLM.from_pretrained(model_folder).model.state_dict()
    assert model.model.state_dict().keys() == weights.keys()
    for name, tensor in model.model.state_dict().items():
        assert torch.equal(tensor, weights[name])
    assert tokenizer("a cat")["input_ids"][0] == tokenizer.bos_token_id


def test_training_ranks_obvious_pairs(tmp_path: Path, model_folder: Path) -> None:
    long = SHORT.model_copy(update={"epochs": 8})
    table = train(pairs(60, 12), str(model_folder), long, TEXT, tmp_path)
    table = table.set_index(["split", "group"])
    assert (table["accuracy"] == 1).all()
    assert table["n"]["held-out"].to_dict() == {
        **{"all": 12, "a": 6, "b": 6},
        **{"empty": 4, "noise": 4, "other-task": 4},
    }
    # The saved folder tells them apart too.
    model, tokenizer = load_reward_model(str(tmp_path))
    texts = [("new apples?", answer) for answer in ("cat", "nine mat")]
    better, worse = rewards(model, encode(texts, TEXT, model, tokenizer), 100)
    assert better > worse + 1


def test_seed_and_training_pairs_decide_the_bytes(tmp_path: Path, model_folder: Path) -> None:
    table = pairs(20, 4)
    held_out, rejected = table["held_out"], table["rejected"]

    def trained(name: str, table: pd.DataFrame, seed: int = 0) -> dict[str, bytes]:
        (tmp_path / name).mkdir()
        settings = SHORT.model_copy(update={"seed": seed})
        train(table, str(model_folder), settings, TEXT, tmp_path / name)
        return contents(tmp_path / name)

    first = trained("first", table)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= first.keys()
    # Held-out pairs are not trained on.
    assert trained("held-out", table.assign(rejected=rejected.mask(held_out, "x"))) == first
    changed = trained("training", table.assign(rejected=rejected.where(held_out, "x")))
    for other in (changed, trained("seed", table, 1)):
        assert other["model.safetensors"] != first["model.safetensors"]


def test_a_base_that_is_no_llama_is_refused(tmp_path: Path, tokenizer: Any) -> None:
    config = MistralConfig(**SIZES, num_hidden_layers=1, num_key_value_heads=2)
    MistralForCausalLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="MistralForCausalLM is not a Llama"):
        train(pairs(8, 2), str(tmp_path), SHORT, TEXT, tmp_path)


def test_accuracy_by_hand() -> None:
    margins = np.array([1.0, -1.0, 0.0, 2.0, 1e-30, -np.inf], dtype=np.float32)
    table = accuracy_table(pairs(6, 4), margins)
    rows = {(row.split, row.group): (row.accuracy, row.n) for row in table.itertuples()}
    assert rows["training", "all"] == (0.5, 2)
    assert rows["training", "b"] == (0.0, 1)
    # A tie counts half.
    assert rows["held-out", "all"] == (2.5 / 4, 4)
    assert rows["held-out", "a"] == (0.75, 2)
    assert rows["held-out", "noise"] == (1.0, 2)
    assert ("training", "noise") not in rows  # no such pair
