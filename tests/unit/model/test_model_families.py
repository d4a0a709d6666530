"""Models of other families than Llama against plain transformers, one text at a time."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from training import difference, plain_losses, train, weights
from transformers import AutoModelForCausalLM

from nearfirst.common.errors import InputError
from nearfirst.evaluate.losses import losses
from nearfirst.generate.answers import generate
from nearfirst.generate.settings import GenerateSettings
from nearfirst.model import checkpoints, load
from nearfirst.model.check import check_model
from nearfirst.model.logits import logits_at
from nearfirst.model.template import IGNORED, Tokens, encode
from nearfirst.train import segment
from nearfirst.train.settings import TrainSettings

SIZES = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 64,
}
GPT = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
# Sizes and what is particular to each family.
FAMILIES: dict[str, dict[str, Any]] = {
    "GPT2": GPT,  # learned positions, tied weights
    "GPTNeoX": SIZES,  # another name for its head on the hub
    "Llama": {**SIZES, "tie_word_embeddings": True},
    "Qwen2": SIZES,
    "Qwen3": SIZES,
    "Gemma2": {**SIZES, "sliding_window": 8, "final_logit_softcapping": 1.0},
    "Gemma3Text": {**SIZES, "sliding_window": 8, "final_logit_softcapping": 1.0},
    "Mistral": {**SIZES, "sliding_window": 6},
    "OPT": {**SIZES, "ffn_dim": 24, "word_embed_proj_dim": 8},  # positions that begin at 2
    "Phi": {**SIZES, "num_key_value_heads": 2},
    "Phi3": {**SIZES, "num_key_value_heads": 2},
    "Falcon": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2},
    "Bloom": {"hidden_size": 16, "n_layer": 2, "n_head": 2},  # distances instead of positions
    "Olmo2": {**SIZES, "num_key_value_heads": 2},
    "Cohere": {**SIZES, "logit_scale": 0.05},
    "Granite": {**SIZES, "logits_scaling": 8.0},
    "Mixtral": {**SIZES, "num_local_experts": 4},  # other tensors on the hub
    "Mamba": {**SIZES, "state_size": 4},
    "Gemma4Text": {  # scales of layers that are saved but not trained
        **SIZES,
        "global_head_dim": 8,
        "num_kv_shared_layers": 0,
        "hidden_size_per_layer_input": 0,
        "layer_types": ["sliding_attention", "full_attention"],
    },
}
RUN = TrainSettings(batch_size=4, checkpoint_every=1, learning_rate=1e-3)


def built(family: str, vocabulary: int, **sizes: Any) -> Any:
    """A model with random weights whose predictions are far from uniform."""
    special = {"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 1}
    kind = getattr(transformers, f"{family}Config")
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(kind(vocab_size=vocabulary, **special, **sizes))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.3)
        for name in model.state_dict().keys() & dict(model.named_buffers()):
            model.get_buffer(name).fill_(0.7)
    return model.float().eval()


@pytest.fixture(scope="module")
def tokens(some_talks: Any, talk: Any, tokenizer: Any) -> list[Tokens]:
    return encode([*some_talks(7), talk("a", "b", "c", "d")], tokenizer, 60)


@pytest.mark.parametrize("family", FAMILIES)
def test_losses_of_a_checkpoint_are_those_of_plain_transformers(
    family: str, tmp_path: Path, tokens: list[Tokens], tokenizer: Any
) -> None:
    model = built(family, len(tokenizer), **FAMILIES[family])
    expected = plain_losses(model, tokens)
    assert np.std(expected) > 1e-3
    check_model(model, tokens)
    model.save_pretrained(tmp_path, **segment.SAVE_OPTIONS)
    resident = load.empty_model(str(tmp_path))
    checkpoints.load_weights(resident, tmp_path)
    single = losses(resident, tokens, 1)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=0, atol=1e-5)
    for order in (1, -1):  # neighbours in a batch do not matter
        batched = losses(resident, tokens[::order], 10_000)[::order]
        np.testing.assert_allclose(batched, single, rtol=1e-6, atol=1e-6)
    # A checkpoint can be loaded like any model.
    whole = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    np.testing.assert_allclose(plain_losses(whole, tokens[:1]), expected[:1], rtol=0, atol=1e-5)


def test_only_selected_logits_are_computed(tokenizer: Any) -> None:
    model = built("Gemma2", len(tokenizer), **FAMILIES["Gemma2"])
    ids = torch.arange(40).reshape(2, 20)
    sizes = []
    head = model.get_output_embeddings()
    head.register_forward_hook(lambda _, inputs, output: sizes.append(output.shape[:-1].numel()))
    rows, columns = torch.tensor([0, 1, 1]), torch.tensor([3, 0, 19])
    with torch.no_grad():
        logits = logits_at(model, ids, rows, columns)
        assert sizes == [3]
        torch.testing.assert_close(logits, model(ids).logits[rows, columns])


@pytest.mark.parametrize("family", ["GPTNeoX", "GPT2"])  # GPT-2 draws dropout
def test_training_in_two_segments_is_training_in_one(
    family: str, tmp_path: Path, tokens: list[Tokens], tokenizer: Any
) -> None:
    base = tmp_path / "base"
    built(family, len(tokenizer), **FAMILIES[family]).save_pretrained(base)
    whole, _ = train(base, tokens, RUN, tmp_path / "whole")
    _, state = train(base, tokens, RUN, tmp_path / "one", stop=1)
    second, _ = train(base, tokens, RUN, tmp_path / "two", before=state)
    assert difference(weights(second, 2), weights(whole, 2)) == 0
    assert difference(weights(whole, 0), weights(whole, 2)) > 0


def test_a_step_does_not_depend_on_micro_batches_where_a_model_means_over_them(
    tmp_path: Path, tokens: list[Tokens], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = built("GPT2", len(tokenizer), **GPT, attn_pdrop=0, embd_pdrop=0, resid_pdrop=0)
    model.save_pretrained(tmp_path / "base")
    folders = []
    for budget, accepts in ((4096, True), (100, False)):
        # False as for Gemma 3n.
        monkeypatch.setattr(type(model), "accepts_loss_kwargs", accepts, raising=False)
        settings = RUN.model_copy(update={"micro_batch_tokens": budget, "epsilon": 1.0})
        folder, _ = train(tmp_path / "base", tokens[-4:], settings, tmp_path / f"by {budget}")
        folders.append(folder)
    whole, pieces = folders
    assert difference(weights(whole, 0), weights(whole, 1)) > 1e-5
    assert difference(weights(pieces, 1), weights(whole, 1)) < 1e-7


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_answers_are_those_of_a_loop_by_hand(
    family: str, some_talks: Any, tokenizer: Any
) -> None:
    """Rows join and leave a batch, past sliding windows and with every kind of positions."""
    model = built(family, len(tokenizer), **FAMILIES[family])
    questions = [item.prompt for item in encode(some_talks(7), tokenizer, 64)]
    limit = 20
    settings = GenerateSettings(do_sample=False, max_new_tokens=limit, repetition_penalty=1.0)
    # So many that answers end after 1 to 20 tokens.
    end_tokens = [tokenizer.eos_token_id, *range(40, 300, 17)]
    flags = {"step": 0, "run_seed": 0, "batch_size": 3, "end_tokens": end_tokens}
    answers = generate(model, questions, list("abcdefg"), settings, **flags)
    for prompt, answer in zip(questions, answers, strict=True):
        ids = torch.from_numpy(prompt)[None]
        for _ in range(limit):
            with torch.no_grad():
                ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
            if ids[0, -1] in end_tokens:
                break
        assert answer.tolist() == ids[0, len(prompt) :].tolist()


def test_a_model_that_looks_ahead_is_refused(tokens: list[Tokens], tokenizer: Any) -> None:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = built("Bert", len(tokenizer), **sizes).train()
    with pytest.raises(InputError, match="BertLMHeadModel does not predict each token"):
        check_model(model, tokens)
    assert model.training


def test_a_model_for_fewer_tokens_is_refused(tokens: list[Tokens], tokenizer: Any) -> None:
    longest = max(len(item.ids) for item in tokens)
    model = built("GPT2", len(tokenizer), **GPT | {"n_positions": longest - 1})
    with pytest.raises(InputError, match=f"max_length: an instance has {longest} tokens"):
        check_model(model, tokens)
    highest = max(int(item.ids.max()) for item in tokens)
    with pytest.raises(InputError, match=f"gives id {highest}, but the GPT2.* has {highest} emb"):
        check_model(built("GPT2", highest, **GPT), tokens)


def test_losses_that_are_not_finite_are_left_to_others(
    tokens: list[Tokens], tokenizer: Any
) -> None:
    model = built("GPT2", len(tokenizer), **GPT)
    model.lm_head.weight.data.fill_(torch.nan)
    check_model(model, tokens)


def test_a_tokenizer_without_bos_or_eos(tokenizer: Any, talk: Any, tmp_path: Path) -> None:
    talks = [talk("one", "eins")]
    (with_bos,) = encode(talks, tokenizer, 100)
    changed = copy.deepcopy(tokenizer)
    changed.bos_token = None
    changed.save_pretrained(tmp_path)
    assert load.load_tokenizer(str(tmp_path)).bos_token_id is None
    (tokens,) = encode(talks, changed, 100)
    assert tokens.ids.tolist() == with_bos.ids[1:].tolist()
    assert tokens.labels.tolist() == with_bos.labels[1:].tolist()
    assert tokens.prompt.tolist() == tokens.ids[tokens.labels == IGNORED].tolist()
    changed.eos_token = None
    changed.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="has no end-of-text token"):
        load.load_tokenizer(str(tmp_path))
