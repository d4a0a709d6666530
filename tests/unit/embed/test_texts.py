"""Texts that are longer than the encoder reads, and embeddings that are all alike."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from nearfirst.common.embeddings import read_embeddings, write_embeddings
from nearfirst.embed import encode
from nearfirst.embed.texts import shared_prefix, shorten

POLICY = "You answer for a shop and never promise a refund. " * 30
QUESTIONS = ["Where is my parcel?", "What does a green coat cost?", "Do you sell apples?"]


@pytest.mark.parametrize(
    ("texts", "prefix"),
    [
        (["be kind. Go", "be kind. Get"], "be kind. "),
        (["be kind.\nWhat?", "be kind.\nWho?"], "be kind.\n"),
        (["add", "adder"], ""),
        (["same text", "same text"], ""),
        (["only one"], ""),
        ([], ""),
        (["be ", "be nice"], "be "),
    ],
)
def test_shared_prefix(texts: list[str], prefix: str) -> None:
    assert shared_prefix(texts) == prefix


def test_texts_longer_than_the_encoder_reads() -> None:
    encoder = encode.load(encode.MINILM)
    words = [f"word{i % 10}" for i in range(400)]
    pieces = [len(encoder.tokenizer(word, add_special_tokens=False).input_ids) for word in words]
    fits = int(np.searchsorted(np.cumsum(pieces), 254, side="right"))
    texts = [" ".join(words[:n]) for n in (1, fits, fits + 1, 400)]
    assert shorten(texts, encoder, None, "beginning") == (texts, 2)
    kept, cut = shorten(texts, encoder, None, "end")
    assert cut == 2
    assert kept[:2] == texts[:2]
    assert all(text.endswith(end) for text, end in zip(texts, kept, strict=True))
    assert {len(encoder.tokenizer(text).input_ids) for text in kept[2:]} == {256}
    # A prompt counts against the limit.
    assert shorten(texts, encoder, "a b c ", "beginning")[1] == 3


def test_a_system_prompt_that_fills_the_encoder(
    tmp_path: Path, program: Any, talk: Any, write_instances: Any
) -> None:
    talks = [talk(f"{POLICY}{question}", "Let me see.") for question in QUESTIONS]
    paths = [tmp_path / name for name in ("I", "Q", "EI", "EQ")]
    write_instances(paths[0], talks)
    write_instances(paths[1], talks[:1])
    settings = ("--settings", json.dumps({"strip_shared_prefix": True}))
    query = ("--query", "--pool", paths[0])
    for instances, output, flags in zip(paths, paths[2:], ((), query), strict=False):
        program(
            "embed.py", "--instances", instances, *settings, *flags, "--output", output, check=True
        )
        assert pq.read_schema(output).metadata[b"cut"] == b"0"
    vectors, query_vectors = (read_embeddings(path)[1] for path in paths[2:])
    np.testing.assert_allclose(query_vectors[0], vectors[0], rtol=0, atol=1e-5)
    assert (vectors[1:] @ query_vectors[0] < 0.9).all()


@pytest.mark.parametrize(
    ("distinct", "split", "cut", "share", "message"),
    [
        (1, "train", 0, 1, "error: shop (train): all 9 training instances have the same embedding"),
        (1, "heldout", 0, 1, "shop (heldout): 9 instances have only 1 different embeddings"),
        (4, "train", 0, 1, "9 instances have only 4 different embeddings"),
        (5, "train", 4, 0.4, "error: shop (train): 4 of 9 texts (44.4%) are longer than the 256 t"),
        (5, "train", 4, 0.5, "are cut; to change that, set representations.text.strip_sh"),
    ],
)
def test_cut_texts_and_equal_embeddings_are_reported(
    tmp_path: Path,
    program: Any,
    write_instances: Any,
    some_talks: Any,
    distinct: int,
    split: str,
    cut: int,
    share: float,
    message: str,
) -> None:
    instances, shard, output = (tmp_path / name for name in ("I", "shard", "out"))
    ids = write_instances(instances, some_talks(9), dataset="shop", test=split)
    vectors = np.eye(9, 5, dtype=np.float32)[np.arange(9) % distinct]
    write_embeddings(ids, vectors, shard, {"cut": str(cut), "limit": "256"})
    flags = ("--instances", instances, "--max-cut-share", share, "--output", output)
    done = program("gather_embeddings.py", shard, *flags)
    assert message in done.stderr
    fails = message.startswith("error")
    assert (done.returncode, output.exists()) == (fails, not fails)
    if not fails:
        metadata = pq.read_schema(output).metadata
        assert (metadata[b"cut"], metadata[b"distinct"]) == (b"%d" % cut, b"%d" % distinct)
