"""Other encoders, their prompts and dimensions, against `SentenceTransformer.encode`."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from encoders import embed
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Normalize,
    Pooling,
    StaticEmbedding,
    Transformer,
)
from transformers import BertConfig, BertModel

from nearfirst.common.errors import InputError
from nearfirst.embed import encode
from nearfirst.embed.kinds.text import Settings

TEXTS = ["the cat sat on a mat", "?", "green apples " * 40, *(f"nine {i}" for i in range(9))]
assert_close = partial(np.testing.assert_allclose, rtol=0, atol=1e-5)
PROMPTS = {"query": "a cat asks: ", "passage": "the mat says: "}


@pytest.fixture(scope="module")
def folder(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 16 dimensions in half precision, with prompts and a default prompt."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "max_position_embeddings": 64}
    config = BertConfig(
        vocab_size=len(tokenizer), num_hidden_layers=1, num_attention_heads=2, **sizes
    )
    BertModel(config).bfloat16().save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    reader = Transformer(str(folder / "bert"), max_seq_length=64)
    reader.tokenizer.pad_token = "</s>"
    modules = [reader, Pooling(16, "mean"), Normalize()]
    encoder = SentenceTransformer(modules=modules, prompts=PROMPTS, default_prompt_name="query")
    encoder.save(str(folder / "whole"))
    return folder / "whole"


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Any:
    encoder = encode.load(str(folder))
    assert {weights.dtype for weights in encoder.parameters()} == {torch.float32}
    return encoder


@pytest.mark.parametrize(
    ("row", "arguments"),
    [
        ({}, {}),  # the default prompt
        ({"prompt_name": "passage"}, {"prompt": PROMPTS["passage"]}),
        ({"prompt": "green: "}, {"prompt": "green: "}),
        ({"prompt": ""}, {"prompt": ""}),
    ],
)
def test_a_prompt_is_put_before_each_text(
    encoder: Any, row: dict[str, str], arguments: dict[str, str]
) -> None:
    expected = encoder.encode(TEXTS, **arguments)
    assert_close(embed(TEXTS, encoder, **row), expected)
    plain = embed(TEXTS, encoder, prompt="")
    assert (np.abs(plain - expected).max() < 1e-5) == (row == {"prompt": ""})


def test_an_unknown_prompt_is_refused(encoder: Any) -> None:
    with pytest.raises(InputError, match=r"no prompt 'asked', only .*query.*passage"):
        embed(TEXTS, encoder, prompt_name="asked")
    with pytest.raises(InputError, match="prompt or prompt_name, not both"):
        Settings.parse('{"prompt":"a","prompt_name":"query"}')


def test_the_first_dimensions_are_kept_at_length_1(encoder: Any) -> None:
    expected = encoder.encode(TEXTS, prompt="", truncate_dim=5, normalize_embeddings=True)
    assert_close(embed(TEXTS, encoder, prompt="", dimension=5), expected)
    with pytest.raises(InputError, match=r"dimension: 17, but the encoder gives 16"):
        embed(TEXTS, encoder, dimension=17)


def test_an_encoder_may_truncate_its_dimensions(folder: Path) -> None:
    encoder = SentenceTransformer(str(folder), truncate_dim=7).float()
    expected = encoder.encode(TEXTS, prompt="")
    assert expected.shape[1] == 7
    assert_close(embed(TEXTS, encoder, prompt=""), expected)


def test_an_encoder_without_attention(tokenizer: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    modules = [StaticEmbedding(tokenizer.backend_tokenizer, embedding_dim=8)]
    SentenceTransformer(modules=modules).save(str(tmp_path))
    encoder = encode.load(str(tmp_path))
    assert_close(embed(TEXTS, encoder, batch_tokens=4), encoder.encode(TEXTS))
