"""Training instances that are left out: against the definition, pair by pair."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Program

from nearfirst.arrange.inputs import read_pool
from nearfirst.arrange.methods import round_robin, tma
from nearfirst.arrange.registry import arrange
from nearfirst.common import parquet
from nearfirst.common.parquet import INSTANCES, embeddings_table, write_rows, write_table
from nearfirst.explore import exclude as module
from nearfirst.explore.exclude import Excluded, by_embedding, by_text
from nearfirst.explore.texts import Exchange, grams

WORDS = st.lists(st.sampled_from("abcd"), max_size=5).map(" ".join)


def excluded(train: list[str], test: list[str], *, exact: bool, near: float | None) -> Excluded:
    sides = [[Exchange("", text) for text in its] for its in (train, test)]
    return by_text(sides[0], sides[1], len(train), exact=exact, near=near, n=2, of="words")


@settings(deadline=None)
@given(
    st.lists(WORDS, min_size=1, max_size=8),
    st.lists(WORDS, min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from([None, 1 / 3, 0.5, 1.0]),
)
def test_texts_are_left_out_by_the_definition(
    train: list[str], test: list[str], exact: bool, near: float | None
) -> None:
    others = [("test", row, text) for row, text in enumerate(test)]
    expected = {}
    for row, text in enumerate(train):
        found = []
        for at, (of, other, its) in enumerate(others):
            a, b = grams(text, 2), grams(its, 2)
            alike = len(a & b) / len(a | b) if a | b else 0.0
            if exact and text == its:
                found.append((2.0, of == "test", 1.0, -at, ("identical text", of, other, 1.0)))
            elif near is not None and alike >= near:
                reason = ("near-identical text", of, other, alike)
                found.append((1.0, of == "test", alike, -at, reason))
        if found:
            expected[row] = max(found)[-1]
        else:
            others.append(("train", row, text))
    assert excluded(train, test, exact=exact, near=near) == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_embeddings_are_left_out_by_the_definition(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", 4)
    generator = np.random.default_rng(0)
    train = generator.standard_normal((23, 3)).astype(np.float32)
    test = generator.standard_normal((5, 3)).astype(np.float32)
    gone: Excluded = {2: module.Reason("identical text", "test", 0, 1.0)}
    found = by_embedding(train, test, 0.9, gone, threads)
    points = [its / np.linalg.norm(its, axis=1, keepdims=True) for its in (train, test)]
    stays: list[int] = []
    for row, point in enumerate(points[0]):
        to_test, to_train = points[1] @ point, points[0][stays] @ point
        if row in gone:
            continue
        if to_test.max() >= 0.9:
            expected = ("near embedding", "test", to_test.argmax(), to_test.max())
        elif len(stays) and to_train.max() >= 0.9:
            at = stays[to_train.argmax()]
            expected = ("near embedding", "train", at, to_train.max())
        else:
            stays.append(row)
            continue
        assert found.pop(row) == (*expected[:3], pytest.approx(expected[3]))
    assert not found
    assert len(stays) < 20


def test_what_is_listed_is_in_no_arrangement(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From tables to the list, and from the list to the pool of a method."""
    texts = {"train": ["a b c d", "A  b c d", "a b c e", "x", "y", "z"], "test": ["X"]}
    vectors = {"train": np.eye(7, dtype=np.float32)[[0, 1, 2, 3, 4, 4]], "test": np.eye(7)[[6]]}
    flags: list[object] = []
    for side, its in texts.items():
        paths = tmp_path / f"{side}-instances.parquet", tmp_path / f"{side}-embeddings.parquet"
        rows = [
            {
                "id": f"{side}-{i}",
                "task": "NA",
                "messages": [
                    {"role": "user", "content": text},
                    {"role": "assistant", "content": "!"},
                ],
                "references": [],
            }
            for i, text in enumerate(its)
        ]
        write_rows(rows, INSTANCES, paths[0])
        ids = [row["id"] for row in rows]
        write_table(embeddings_table(ids, vectors[side].astype(np.float32)), paths[1])
        flags += [f"--{side}-instances", paths[0], f"--{side}-embeddings", paths[1]]
    output, json = (
        tmp_path / "excluded.csv",
        '{"exact": true, "near_text": 0.5, "near_embedding": 1}',
    )
    flags += ["--explore", '{"ngram": 2}', "--settings", json, "--output", output]
    program("exclude.py", *flags)
    listed = [list(row.values())[:5] for row in csv.DictReader(output.open())]
    assert listed == [
        ["train-1", "NA", "identical text", "train", "train-0"],
        ["train-2", "NA", "near-identical text", "train", "train-0"],
        ["train-3", "NA", "identical text", "test", "test-0"],
        ["train-5", "NA", "near embedding", "train", "train-4"],
    ]
    instances = Path(str(flags[1]))
    ids, pool = read_pool(round_robin.Settings(), instances=instances, excluded=output)
    assert (ids, pool.size, pool.tasks) == (["train-0", "train-4"], 2, ["NA", "NA"])
    tables = {"train": Path(str(flags[3])), "test": Path(str(flags[7])), "excluded": output}
    for in_memory in (parquet.IN_MEMORY, 0):
        monkeypatch.setattr(parquet, "IN_MEMORY", in_memory)
        ids, pool = read_pool(tma.Settings(), **tables)
        order = arrange(pool, tma.Settings(), seed=0).order
        assert (ids, order.tolist(), len(pool.train)) == (["train-0", "train-4"], [0, 1], 2)
        np.testing.assert_array_equal(pool.train[:], np.eye(7)[[0, 4]])
