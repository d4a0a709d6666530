"""Tables of embeddings: what a read accepts, and how it refuses the rest."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import refusal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nearfirst.common import embeddings
from nearfirst.common.embeddings import embeddings_table, read_embeddings
from nearfirst.common.parquet import write_table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.parquet"


NUMBERS = st.floats(0.5, 1e6, width=32) | st.floats(-1e6, -0.5, width=32)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=NUMBERS))
def test_embeddings_of_any_dimension_are_read_as_written(path: Path, vectors: np.ndarray) -> None:
    ids = [str(i) for i in range(len(vectors))]
    table = embeddings_table(ids, vectors)
    expected = pa.list_(pa.float32(), vectors.shape[1])
    assert table.schema.field("embedding").type == expected
    write_table(table, path)
    rows = np.arange(len(ids))[::-2]
    for in_memory in (embeddings.IN_MEMORY, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embeddings, "IN_MEMORY", in_memory)
            read_ids, matrix = read_embeddings(path)
        assert read_ids == ids
        assert matrix[:].dtype == np.float32
        for index in (slice(None), slice(1, 3), rows):
            np.testing.assert_array_equal(matrix[index], vectors[index])
    view = matrix.keeping(rows)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(view[:2], vectors[rows[:2]])
    assert view.shape == vectors[rows].shape


def embedding_column(values: list[Any], kind: pa.DataType) -> pa.Table:
    ids = [f"id-{i}" for i in range(len(values))]
    return pa.table({"id": ids, "embedding": pa.array(values, kind)})


@pytest.mark.parametrize("bad", [[0, float("nan")], [-float("inf"), 0], None, [1.0, None], [0, 0]])
@pytest.mark.parametrize("before", [2, 7])
def test_a_bad_embedding_is_named_behind_the_first_batch_too(
    path: Path, before: int, bad: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "EMBEDDED", 3 * 8)
    values = [[i, 1] for i in range(before)]
    kind = pa.list_(pa.float32(), 2)
    pq.write_table(embedding_column(values, kind), path, row_group_size=4)
    np.testing.assert_array_equal(read_embeddings(path)[1], np.array(values, dtype=np.float32))
    pq.write_table(embedding_column([*values, bad], kind), path)
    assert f"row {before} (id 'id-{before}')" in refusal(path, read_embeddings)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.list_(pa.float64(), 2), pa.large_list(pa.float64())]
)
def test_embeddings_of_other_floating_point_lists(path: Path, kind: pa.DataType) -> None:
    pq.write_table(embedding_column([[1, 0], [0, 0.1]], kind), path)
    expected = np.array([[1, 0], [0, 0.1]], dtype=np.float32)
    np.testing.assert_array_equal(read_embeddings(path)[1], expected)
    if not pa.types.is_fixed_size_list(kind):
        pq.write_table(embedding_column([[1, 0], [0, 1, 2]], kind), path)
        assert "row 1 (id 'id-1') has another dimension" in refusal(path, read_embeddings)


@pytest.mark.parametrize("kind", [pa.list_(pa.int64(), 2), pa.string()])
def test_embeddings_of_another_type(path: Path, kind: pa.DataType) -> None:
    values: list[Any] = ["a"] if kind == pa.string() else [[1, 0], [0, 1]]
    pq.write_table(embedding_column(values, kind), path)
    message = refusal(path, read_embeddings)
    assert "column 'embedding' holds" in message
    assert "expected fixed_size_list" in message
    pq.write_table(pa.table({"id": ["a"]}), path)
    assert "'embedding' is missing" in refusal(path, read_embeddings)
