"""The n-gram divergence: by hand, and against SciPy."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import rel_entr

from nearfirst.common.errors import InputError
from nearfirst.distance.ngram_divergence import kl_curves, ngram_ids

# Few words, so that texts share n-grams; some texts have none.
TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), min_size=1, max_size=8)


def ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    words = text.split()
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def slow(seen: list[str], test: list[str], n: int, epsilon: float, counting: str) -> float:
    """Return the divergence of one prefix, computed from scratch."""
    p_counts = Counter(gram for text in seen for gram in ngrams(text, n))
    q_counts = Counter(gram for text in test for gram in ngrams(text, n))
    if not p_counts:
        return float("nan")
    p = np.array([p_counts[gram] for gram in p_counts]) / p_counts.total()
    q = np.array([q_counts[gram] for gram in p_counts]) / q_counts.total()
    times = [p_counts[gram] if counting == "occurrences" else 1 for gram in p_counts]
    return float(rel_entr(p, q + epsilon) @ times)


@pytest.mark.parametrize(
    # "a b" twice, "b a" once: p = 2/3, 1/3, and q + 1/2 = 1, 1/2.
    # With "b c" seen too: p = 1/2, 1/4, 1/4, and q + 1/2 = 1, 1/2, 1.
    ("counting", "expected"),
    [
        ("types", [np.log(2 / 3), -5 / 4 * np.log(2)]),
        ("occurrences", [5 / 3 * np.log(2 / 3), -7 / 4 * np.log(2)]),
    ],
)
def test_by_hand(counting: Any, expected: list[float]) -> None:
    whole = {"": np.arange(1)}
    train, test = ["a b a b", "b c"], ["a b c"]
    curves = kl_curves(train, test, [1, 2], whole, epsilon=0.5, counting=counting)
    np.testing.assert_allclose(curves, np.array(expected)[:, None], rtol=1e-14)


@pytest.mark.parametrize("counting", ["types", "occurrences"])
@settings(max_examples=60)
@given(
    train=TEXTS,
    test=TEXTS,
    n=st.integers(1, 3),
    epsilon=st.sampled_from([1e-10, 1e-3, 1.0]),
    data=st.data(),
)
def test_against_scipy(
    counting: Any, train: list[str], test: list[str], n: int, epsilon: float, data: Any
) -> None:
    test = [*test, "a a a"]  # so that both groups have n-grams
    groups = {"last": np.array([len(test) - 1]), "": np.arange(len(test))}
    ends = sorted(data.draw(st.lists(st.integers(1, len(train)), min_size=1)))
    curves = kl_curves(train, test, ends, groups, ngram=n, epsilon=epsilon, counting=counting)
    texts = [[test[i] for i in rows] for rows in groups.values()]
    expected = [[slow(train[:end], group, n, epsilon, counting) for group in texts] for end in ends]
    np.testing.assert_allclose(curves, expected, rtol=1e-10, atol=1e-12)


def test_many_words_in_long_ngrams_do_not_overflow() -> None:
    text = " ".join(str(i) for i in range(20_000))
    ids, _ = ngram_ids([text, text], 8)
    assert ids[: len(ids) // 2].tolist() == ids[len(ids) // 2 :].tolist()
    assert len(set(ids.tolist())) == len(ids) // 2


def test_a_task_without_ngrams() -> None:
    groups = {"long": np.array([0]), "short": np.array([1, 2]), "": np.arange(3)}
    with pytest.raises(InputError, match=r"task 'short'.* 3 words.*similarity\.ngram"):
        kl_curves(["x y z"], ["a b c", "a b", "c"], [1], groups, ngram=3)
