"""Duplicates between a pool and a test set: each kind by hand, and all against a double loop."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.explore import duplicates as module
from nearfirst.explore.duplicates import Pairs, find_duplicates
from nearfirst.explore.settings import KINDS, ExplorationSettings
from nearfirst.explore.texts import Exchange, grams, normalize

LIMITS: dict[str, Any] = {"ngram": 2, "text_similarity": 0.5, "embedding_similarity": 0.9}


def exchange(prompt: str, answer: str = "") -> Exchange:
    return Exchange(normalize(prompt), normalize(f"{prompt} {answer}"))


def compare(
    train: Sequence[Exchange], test: Sequence[Exchange], cosines: Any = None, **limits: Any
) -> dict[str, Pairs]:
    """Compare in blocks of three rows."""
    shape = len(train), len(test)
    cosines = np.zeros(shape) if cosines is None else np.array(cosines, dtype=float)
    settings = ExplorationSettings(**{**LIMITS, **limits})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", 3)
        return find_duplicates(train, test, lambda part: -cosines[part], len(train), settings)


def test_normalize() -> None:
    assert normalize("  Two\n words\t") == "two words"
    assert normalize("STRASSE Straße ﬁne １２ e\u0301") == "strasse strasse fine 12 é"


def test_grams_by_hand() -> None:
    assert grams("a b, a b!", 2) == {("a", "b"), ("b", "a")}
    assert grams("a b", 3) == {("a", "b")}
    assert grams("?!", 2) == set()
    assert grams("", 2, "characters") == set()
    assert grams("abab", 2, "characters") == {"ab", "ba"}
    assert grams("ab", 3, "characters") == {"ab"}


def test_all_pairs_are_counted_if_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTED", 3)
    test = [exchange("same", "text"), exchange("same", "text")]
    same = compare([exchange("same", "text")] * 7, test)["identical text"]
    assert same.listed() == [(0, 0, 1, 0), (0, 1, 1, 0), (1, 0, 1, 0)]
    assert (same.total, same.in_train.sum(), same.in_test.sum()) == (14, 7, 2)
    cosines = np.linspace(0.9, 1, 7)[:, None]
    nearest = compare([exchange("a")] * 7, [exchange("b")], cosines)["near embedding"]
    assert [row for row, *_ in nearest.listed()] == [6, 5, 4]


texts = st.lists(st.sampled_from(["a", "b", "c", "A", "?"]), max_size=5).map(" ".join)
exchanges = st.lists(st.builds(exchange, texts, texts), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60)
@given(exchanges, exchanges, st.integers(0, 2**32), st.sampled_from([0.3, 0.5, 1.0]))
def test_against_a_double_loop(
    train: list[Exchange], test: list[Exchange], seed: int, limit: float
) -> None:
    cosines = np.random.default_rng(seed).uniform(-1, 1, (len(train), len(test)))
    result = compare(train, test, cosines, text_similarity=limit, embedding_similarity=0.5)
    expected: dict[str, list[tuple[int, int, float, float]]] = {kind: [] for kind in KINDS}
    for i, left in enumerate(train):
        for j, right in enumerate(test):
            a, b = grams(left.text, 2), grams(right.text, 2)
            same = left.text == right.text, left.prompt == right.prompt
            jaccard = 1 if same[0] else len(a & b) / len(a | b) if a | b else 0
            fits = (*same, jaccard >= limit, cosines[i, j] >= 0.5)
            if any(fits):
                expected[KINDS[fits.index(True)]].append((i, j, jaccard, cosines[i, j]))
    for kind, pairs in result.items():
        rank = 3 if kind == "near embedding" else 2
        assert pairs.listed() == sorted(expected[kind], key=lambda pair: -pair[rank])
        assert pairs.total == len(expected[kind])
        assert set(np.flatnonzero(pairs.in_train)) == {i for i, *_ in expected[kind]}
        assert set(np.flatnonzero(pairs.in_test)) == {j for _, j, *_ in expected[kind]}
