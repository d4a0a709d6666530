"""Excluded training instances, against the definition, pair by pair."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Program

from nearfirst.arrange.inputs import read_pool
from nearfirst.arrange.methods import round_robin, tma
from nearfirst.arrange.registry import arrange
from nearfirst.common import embeddings
from nearfirst.explore import exclude as module
from nearfirst.explore.exclude import Excluded, exclude_by_embedding, exclude_by_text
from nearfirst.explore.texts import Exchange, grams

WORDS = st.lists(st.sampled_from("abcd"), max_size=5).map(" ".join)


@settings(deadline=None)
@given(
    st.lists(WORDS, min_size=1, max_size=8),
    st.lists(WORDS, min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from([None, 1 / 3, 0.5, 1.0]),
)
def test_by_text(train: list[str], test: list[str], exact: bool, near: float | None) -> None:
    others = [("test", row, text) for row, text in enumerate(test)]
    expected = {}
    for row, text in enumerate(train):
        reasons = []
        for position, (side, other, other_text) in enumerate(others):
            a, b = grams(text, 2), grams(other_text, 2)
            similarity = len(a & b) / len(a | b) if a | b else 0.0
            if exact and text == other_text:
                reasons.append((2, side == "test", 1.0, -position, "identical text", side, other))
            elif near is not None and similarity >= near:
                kind = "near-identical text"
                reasons.append((1, side == "test", similarity, -position, kind, side, other))
        if reasons:
            _, _, similarity, _, *reason = max(reasons)
            expected[row] = (*reason, similarity)
        else:
            others.append(("train", row, text))
    exchanges = [Exchange("", text) for text in train], [Exchange("", text) for text in test]
    size = len(train)
    assert exclude_by_text(*exchanges, size, exact=exact, near=near, n=2, unit="words") == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_by_embedding(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 4)
    generator = np.random.default_rng(0)
    train = generator.standard_normal((23, 3)).astype(np.float32)
    test = generator.standard_normal((5, 3)).astype(np.float32)
    excluded: Excluded = {2: module.Reason("identical text", "test", 0, 1.0)}
    result = exclude_by_embedding(train, test, 0.9, excluded, threads)
    train, test = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (train, test))
    kept: list[int] = []
    for row, point in enumerate(train):
        if row in excluded:
            continue
        to_test, to_kept = test @ point, train[kept] @ point
        if to_test.max() >= 0.9:
            expected = ("near embedding", "test", to_test.argmax(), to_test.max())
        elif len(kept) and to_kept.max() >= 0.9:
            expected = ("near embedding", "train", kept[to_kept.argmax()], to_kept.max())
        else:
            kept.append(row)
            continue
        assert result.pop(row) == (*expected[:3], pytest.approx(expected[3]))
    assert not result
    assert len(kept) < 20


def test_excluded_instances_are_in_no_arrangement(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_side: Any
) -> None:
    vectors = np.eye(7)
    prompts = ["a b c d", "A  b c d", "a b c e", "x", "y", "z"]
    train = write_side(tmp_path, "train", ["NA"] * 6, prompts, vectors[[0, 1, 2, 3, 4, 4]])
    test = write_side(tmp_path, "test", ["NA"], ["X"], vectors[[6]])
    output = tmp_path / "excluded.csv"
    settings = '{"exact": true, "near_text": 0.3, "near_embedding": 1}'
    flags = ("--ngram", 2, "--settings", settings, "--output", output)
    program("exclude.py", *train, *test, *flags)
    assert [list(row.values())[:5] for row in csv.DictReader(output.open())] == [
        ["train-1", "NA", "identical text", "train", "train-0"],
        ["train-2", "NA", "near-identical text", "train", "train-0"],
        ["train-3", "NA", "identical text", "test", "test-0"],
        ["train-5", "NA", "near embedding", "train", "train-4"],
    ]
    ids, pool = read_pool(round_robin.Settings(), instances=Path(train[1]), excluded=output)
    assert (ids, pool.size, pool.tasks) == (["train-0", "train-4"], 2, ["NA", "NA"])
    tables = {"train": Path(train[3]), "test": Path(test[3]), "excluded": output}
    for in_memory in (embeddings.IN_MEMORY, 0):
        monkeypatch.setattr(embeddings, "IN_MEMORY", in_memory)
        ids, pool = read_pool(tma.Settings(), **tables)
        order = arrange(pool, tma.Settings(), seed=0).order
        assert (ids, order.tolist(), len(pool.train)) == (["train-0", "train-4"], [0, 1], 2)
        np.testing.assert_array_equal(pool.train[:], vectors[[0, 4]])
