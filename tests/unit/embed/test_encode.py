"""Embeddings against `SentenceTransformer.encode`, and shards against one piece."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import embeddings_table, read_embeddings, write_table
from nearfirst.data.instances import text_of
from nearfirst.embed import encode

TEXTS = [
    "Add 2 and 2. 4",
    "",
    " ",
    "\n\t",
    "?",
    "Übersetze ins Deutsche: 猫 😀 Кошка",
    "a long passage of which the model reads the first 256 word pieces " * 40,
    "supercalifragilisticexpialidocious" * 60,
    *(f"Is {i} more than {i // 2}? " + "yes " * (3 * i) for i in range(24)),
]


@pytest.fixture(scope="module")
def encoder() -> Any:
    return encode.load(encode.MINILM)


def test_embeddings_are_those_of_encode(encoder: Any) -> None:
    expected = encoder.encode(TEXTS, convert_to_numpy=True)
    for batch_tokens in (1, 4096):
        found = encode.embed(TEXTS, encoder, batch_tokens)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_embeddings_are_those_of_the_published_model(encoder: Any) -> None:
    # Mean pooling and the L2 norm by hand, over the word pieces of one text at a time.
    import torch

    bert, tokenizer = encoder[0].auto_model, encoder.tokenizer
    for text in TEXTS[:7]:
        inputs = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            mean = bert(**inputs).last_hidden_state[0].mean(dim=0)
        expected = (mean / mean.norm()).numpy()
        np.testing.assert_allclose(
            encode.embed([text], encoder, 512)[0], expected, rtol=0, atol=1e-5
        )


def test_embeddings_have_384_dimensions_and_unit_norm(encoder: Any) -> None:
    found = encode.embed(TEXTS, encoder, 512)
    assert found.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_the_text_is_the_first_exchange(talk: Any) -> None:
    assert text_of(talk("Add 2 and 2.", "4")) == "Add 2 and 2. 4"
    assert text_of(talk("one", "eins", "two", "zwei")) == "one eins"


@given(texts=st.integers(0, 20_000), shards=st.integers(1, 30))
def test_shards_share_the_texts_in_order_and_in_whole_blocks(texts: int, shards: int) -> None:
    bounds = [encode.shard_bounds(texts, shard, shards) for shard in range(1, shards + 1)]
    covered = [text for first, last in bounds for text in range(first, last)]
    assert covered == list(range(texts))
    assert all(first % encode.BLOCK == 0 or first == texts for first, _ in bounds)


def test_the_number_of_shards_changes_no_byte(
    tmp_path: Path, program: Any, talk: Any, write_instances: Any
) -> None:
    generator = random.Random(0)
    talks = [talk(f"{i}" + " apples" * generator.randint(0, 2), "yes") for i in range(2060)]
    instances = tmp_path / "instances.parquet"
    ids = write_instances(instances, talks)

    def embed(part: Path) -> str:
        return program(
            *("embed.py", "--instances", instances, "--shard", part.stem, "--output", part),
            *("--settings", '{"threads":1}'),
        ).stderr

    whole = [tmp_path / "1-of-1.parquet"]
    parts = [tmp_path / f"{shard}-of-3.parquet" for shard in (1, 2, 3)]
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(embed, [*whole, *parts]))
    assert [re.search(r"(\d+) texts", text)[1] for text in told] == ["2060", "1024", "1024", "12"]
    gathered = [tmp_path / "from-1.parquet", tmp_path / "from-3.parquet"]
    for output, shards in zip(gathered, (whole, parts), strict=True):
        done = program(
            "gather_embeddings.py", *shards, "--instances", instances, "--output", output
        )
        assert done.returncode == 0, done.stderr
    assert gathered[0].read_bytes() == gathered[1].read_bytes()
    schema = pq.read_schema(gathered[0])
    assert schema.field("id").type == pa.string()
    assert schema.field("embedding").type == pa.list_(pa.float32(), 384)
    assert read_embeddings(gathered[0])[0] == ids

    # The same shards in the wrong order, and then without the last one.
    output = tmp_path / "wrong.parquet"
    done = program(
        "gather_embeddings.py",
        *(parts[1], parts[0], parts[2], "--instances", instances, "--output", output),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "row 0 has id 'id-1024'" in done.stderr
    assert "has 'id-0'" in done.stderr
    assert not output.exists()
    done = program("gather_embeddings.py", *parts[:2], "--instances", instances, "--output", output)
    assert done.returncode == 1
    assert "2048 rows" in done.stderr
    assert "2060" in done.stderr
    assert not output.exists()


@pytest.fixture
def three_instances(tmp_path: Path, some_talks: Any, write_instances: Any) -> Path:
    write_instances(tmp_path / "instances.parquet", some_talks(3))
    return tmp_path / "instances.parquet"


def test_shards_of_other_instances_are_refused(
    tmp_path: Path, program: Any, three_instances: Path
) -> None:
    shard, output = tmp_path / "1-of-1.parquet", tmp_path / "all.parquet"
    write_table(embeddings_table(["id-0", "id-1", "stranger"], np.eye(3, 384)), shard)
    done = program(
        "gather_embeddings.py", shard, "--instances", three_instances, "--output", output
    )
    assert done.returncode == 1
    assert "row 2 has id 'stranger'" in done.stderr
    assert "has 'id-2'" in done.stderr
    assert not output.exists()


def test_more_shards_than_blocks(
    tmp_path: Path, program: Any, encoder: Any, three_instances: Path
) -> None:
    # Three texts are one block: one of two shards is empty, and that is no fault.
    sizes = [last - first for first, last in (encode.shard_bounds(3, i, 2) for i in (1, 2))]
    assert sorted(sizes) == [0, 3]
    parts, start = [], 0
    for size in sizes:
        vectors = encode.embed(["a", "b", "c"][:size], encoder, 512)
        parts.append(tmp_path / f"{len(parts)}.parquet")
        write_table(embeddings_table([f"id-{start + i}" for i in range(size)], vectors), parts[-1])
        start += size
    output = tmp_path / "all.parquet"
    done = program(
        "gather_embeddings.py", *parts, "--instances", three_instances, "--output", output
    )
    assert done.returncode == 0, done.stderr
    assert read_embeddings(output)[0] == ["id-0", "id-1", "id-2"]


def test_weights_of_another_checksum_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    published = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert published == encode.MINILM_SHA256
    monkeypatch.setattr(encode, "MINILM_SHA256", "0" * 64)
    with pytest.raises(InputError, match=f"SHA-256 {published}, expected 0000"):
        encode.load(encode.MINILM)


def test_a_model_that_cannot_be_had_is_one_clear_line(
    tmp_path: Path, program: Any, three_instances: Path
) -> None:
    log, output = tmp_path / "embed.log", tmp_path / "embeddings.parquet"
    done = program(
        *("embed.py", "--instances", three_instances, "--output", output, "--log", log),
        *("--settings", '{"model":"nobody/no-such-model"}'),
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: embedding.model: 'nobody/no-such-model'")
    assert done.stderr.count("\n") == 1
    assert not output.exists()
