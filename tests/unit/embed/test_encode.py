"""Embeddings against `SentenceTransformer.encode`, and shards against the whole."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from encoders import embed
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.common import embeddings
from nearfirst.common.embeddings import read_embeddings, write_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.common.on_disk import RowsOnDisk
from nearfirst.common.parquet import write_table
from nearfirst.embed import encode
from nearfirst.embed.kinds.text import Settings, texts_of
from nearfirst.embed.registry import BLOCK, Context, shard_bounds

TEXTS = [
    "Add 2 and 2. 4",
    "",
    " ",
    "\n\t",
    "?",
    "Übersetze ins Deutsche: 猫 😀 Кошка",
    "a long passage of which the model reads the first 256 word pieces " * 40,
    "supercalifragilisticexpialidocious" * 60,
    *(f"Is {i} more than {i // 2}? " + "yes " * (3 * i) for i in range(12)),
]
assert_close = partial(np.testing.assert_allclose, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def encoder() -> Any:
    return encode.load(encode.MINILM)


def test_embeddings_against_encode(encoder: Any) -> None:
    expected = encoder.encode(TEXTS, convert_to_numpy=True)
    for batch_tokens in (1, 4096):
        vectors = embed(TEXTS, encoder, batch_tokens=batch_tokens)
        assert vectors.dtype == np.float32
        assert_close(vectors, expected)


@settings(max_examples=50)
@given(texts=st.integers(0, 20_000), shards=st.integers(1, 30))
def test_shards_are_whole_blocks_in_order(texts: int, shards: int) -> None:
    bounds = [shard_bounds(texts, shard, shards) for shard in range(1, shards + 1)]
    covered = [text for first, last in bounds for text in range(first, last)]
    assert covered == list(range(texts))
    assert all(first % BLOCK == 0 or first == texts for first, _ in bounds)


def test_texts_are_read_a_block_at_a_time(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, forward, read, read_at_pass = TEXTS[8:], encoder.forward, [], []
    whole = embed(texts, encoder, batch_tokens=64)

    def noting(features: Any) -> Any:
        read_at_pass.append(len(read))
        return forward(features)

    def stream() -> Iterator[str]:
        for item in texts:
            read.append(item)
            yield item

    monkeypatch.setattr(encoder, "forward", noting)
    monkeypatch.setattr(encode, "BLOCK", len(texts) // 2)
    row = Settings(batch_tokens=64)
    found = encode.embed(stream(), len(texts), encoder, row)
    assert sorted(set(read_at_pass)) == [0, len(texts) // 2, len(texts)]
    assert_close(found.vectors, whole)
    # A matrix that is too large for memory.
    monkeypatch.setattr(embeddings, "IN_MEMORY", 0)
    on_disk = encode.embed(iter(texts), len(texts), encoder, row).vectors
    assert isinstance(on_disk, RowsOnDisk)
    assert on_disk[:].tobytes() == found.vectors.tobytes()


def test_shards_are_gathered(
    tmp_path: Path, program: Any, some_talks: Any, write_instances: Any
) -> None:
    instances, output = tmp_path / "instances.parquet", tmp_path / "all.parquet"
    ids = write_instances(instances, some_talks(3))
    identity = {"dataset": "flan", "test": "train"}
    write_table(pq.read_table(instances), instances, identity)

    def gather(*shards: tuple[list[str], int]) -> str:
        paths = [tmp_path / f"{i}.parquet" for i in range(len(shards))]
        for path, (names, dimension) in zip(paths, shards, strict=True):
            write_embeddings(names, np.eye(len(names), dimension), path)
        flags = ["--instances", instances, "--output", output]
        return str(program("gather_embeddings.py", *paths, *flags).stderr)

    # In the wrong order, incomplete, and of two encoders.
    assert "its ids, in this order, are not those of" in gather((ids[1:], 4), (ids[:1], 4))
    assert "its ids, in this order, are not those of" in gather((ids[:2], 4))
    assert "1.parquet: row 0 (id 'id-2') has another dimension than the first, 4" in gather(
        (ids[:2], 4), (ids[2:], 5)
    )
    assert not output.exists()
    # A shard may be empty.
    assert "error" not in gather(([], 4), (ids, 4))
    assert read_embeddings(output)[0] == ids
    assert pq.read_schema(output).field("embedding").type == pa.list_(pa.float32(), 4)
    # The identity comes from the instances.
    counts = {"embedded": "3", "cut": "0", "distinct": "3"}
    assert read_identity(output) == identity | counts


@pytest.mark.parametrize(
    ("row", "query", "texts"),
    [
        ({"query_text": "instruction"}, True, ["one", "two"]),
        ({"text": "instruction"}, False, ["one", "two"]),
        ({"text": "instruction", "query_text": "exchange"}, True, ["one eins", "two zwei"]),
        ({"query_text": "instruction"}, False, ["one eins", "two zwei"]),
    ],
)
def test_a_test_instance_may_be_embedded_without_its_answer(
    talk: Any, row: dict[str, Any], query: bool, texts: list[str]
) -> None:
    talks = [talk("one", "eins"), talk("two", "zwei")]
    assert list(texts_of(talks, Settings(**row), Context(query=query))) == texts


def test_a_wrong_checksum_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    published = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert published == encode.MINILM_SHA256
    monkeypatch.setattr(encode, "MINILM_SHA256", "0" * 64)
    with pytest.raises(InputError, match=f"SHA-256 {published}, expected 0000"):
        encode.load(encode.MINILM)


def test_a_missing_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=r"^model: 'nobody/no-such-model' is not a folder"):
        encode.load("nobody/no-such-model")
