"""Baselines against their published definitions, and scores that cannot be used."""

import json
import math
import re
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pools
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.arrange.inputs import read_pool
from nearfirst.arrange.methods.dsir import log_importance
from nearfirst.arrange.methods.query_round_robin import _take_turns
from nearfirst.arrange.methods.score import fold, stair
from nearfirst.arrange.pool import Pool
from nearfirst.arrange.registry import METHODS, arrange
from nearfirst.arrange.tma import rounds_by
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import SOURCES


def order(pool: Pool, method: str, **parameters: Any) -> list[int]:
    return arrange(pool, pools.settings(method, **parameters), 0).order.tolist()


@pytest.mark.parametrize(("reduce", "expected"), [("min", [1, 0, 2]), ("mean", [2, 0, 1])])
def test_cosine_by_hand(reduce: str, expected: list[int]) -> None:
    pool = pools.from_matrix([[-0.8, 0.0], [-1.0, 0.8], [-0.6, -0.6]])
    assert order(pool, "cosine", reduce=reduce) == expected
    assert order(pool, "cosine", reduce=reduce, order="farthest") == expected[::-1]


def test_cosine_stays_cosine_under_another_measure() -> None:
    pool = pools.from_embeddings([(9, 0.1), (1, 1), (0.1, 1)], [(1, 0)])
    assert order(replace(pool, measure="euclidean", distances=None), "cosine") == [0, 1, 2]


def published_round_robin(similarity: Any) -> list[int]:
    """Select as dcml-lab/targeted-instruction-selection does, until nothing is left."""
    used, picked = np.zeros(similarity.shape[1], bool), []
    for query in cycle(range(len(similarity))):
        if used.all():
            return picked
        picked.append(int(np.argmax(np.where(~used, similarity[query], -np.inf))))
        used[picked[-1]] = True
    raise AssertionError


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_round_robin_over_queries(size: int, queries: int, length: int, seed: int) -> None:
    distances = np.random.default_rng(seed).normal(size=(size, queries)).astype(np.float32)
    expected = published_round_robin(-distances.T)
    assert order(pools.from_matrix(distances), "query-round-robin") == expected
    # Lists that run dry, so that there are several passes.
    shape = {
        "points": size,
        "tests": queries,
        "max_entries": length * queries,
        "sample_size": queries,
    }
    turns = rounds_by(lambda rows: distances[rows], **shape, take=_take_turns)
    assert np.argsort(turns).tolist() == expected


def talks(*texts: str) -> list[Any]:
    """Conversations of a question and an answer, written as `question|answer`."""
    roles = ("user", "assistant")
    return [
        [{"role": role, "content": part} for role, part in zip(roles, text.split("|"), strict=True)]
        for text in texts
    ]


def test_bm25_follows_its_formula() -> None:
    texts = ["red hat|on sale", "red red coat|a red one", "blue hat|", "green|hat hat hat hat"]
    queries = ["Red hat!|ignored blue", "a green COAT|ignored", "unknown|words"]
    pool = Pool(4, messages=talks(*texts), queries=talks(*queries))
    documents = [text.replace("|", " ").split() for text in texts]
    documents = [[word for word in words if len(word) > 1] for words in documents]
    mean_length = np.mean([len(words) for words in documents])

    def score(query: list[str], words: list[str]) -> float:
        total = 0.0
        for word in query:
            df = sum(word in document for document in documents)
            tf = words.count(word)
            norm = 1.2 * (1 - 0.5 + 0.5 * len(words) / mean_length)
            total += math.log(1 + (4 - df + 0.5) / (df + 0.5)) * tf / (tf + norm)
        return total

    query_words = [["red", "hat"], ["green", "coat"], ["unknown"]]
    scores = np.array([[score(query, words) for query in query_words] for words in documents])
    expected = np.argsort(-scores.max(axis=1))
    assert order(pool, "bm25", k1=1.2, b=0.5) == expected.tolist()


def test_dsir_by_hand() -> None:
    # Each of a, b, "a b" and !! is a quarter of the pool; of the target, a is two thirds.
    a = math.log(2 / 3 + 1e-8) - math.log(0.25 + 1e-8)
    other = math.log(1e-8) - math.log(0.25 + 1e-8)
    weights = log_importance(["A b", "!!"], ["a a"])
    np.testing.assert_allclose(weights, [a + 2 * other, other])
    pool = Pool(2, messages=talks("x|y", "a|b"), queries=talks("a|c"))
    assert order(pool, "dsir") == [1, 0]
    assert order(pool, "dsir", order="farthest") == [0, 1]


def test_dsir_resamples_in_proportion_to_importance() -> None:
    # One instance is as important as the 30 others together.
    others = [f"w{i}|" for i in range(30)]
    pool = Pool(31, messages=talks("a|", *others), queries=talks(*["a|"] * 30, *others))
    settings = pools.settings("dsir", resample=True)
    first = [arrange(pool, settings, seed).order[0] for seed in range(200)]
    # Four standard deviations of a binomial around 100.
    assert 72 < first.count(0) < 128


def test_patterns_by_hand() -> None:
    assert fold(np.arange(7), 3).tolist() == [0, 3, 6, 1, 4, 2, 5]
    assert stair(np.arange(10), 2, 2, 0.2).tolist() == [0, 1, 2, 3, 5, 4, 6, 7, 8, 9]
    # The first border folds 1 to 4, the second 5 to 7: 4 is not folded again.
    assert stair(np.arange(9), 2, 3, 0.2).tolist() == [0, 1, 3, 2, 4, 5, 7, 6, 8]
    pool = Pool(7, scores=[3.0, 1, 2, 6, 5, 4, 0])
    assert order(pool, "score", column="s") == [6, 1, 2, 0, 5, 4, 3]
    assert order(pool, "score", column="s", order="descending") == [3, 4, 5, 0, 2, 1, 6]
    by_folding = order(pool, "score", column="s", pattern="folding", layers=3)
    assert by_folding == [6, 0, 3, 1, 5, 2, 4]
    # By default 5 layers fold, or 3 within 2 places of the border at 4.
    line = Pool(9, scores=np.arange(9.0))
    assert order(line, "score", column="s", pattern="folding") == [0, 5, 1, 6, 2, 7, 3, 8, 4]
    assert order(line, "score", column="s", pattern="stair") == [0, 1, 2, 5, 3, 4, 6, 7, 8]
    shape = {"layers": 2, "sections": 3, "ratio": 0.3}
    in_stairs = order(line, "score", column="s", pattern="stair", **shape)
    assert in_stairs == [0, 2, 4, 1, 3, 5, 6, 8, 7]
    # Noise that is small beside one rank changes nothing.
    assert order(pool, "score", column="s", temperature=1e-3) == [6, 1, 2, 0, 5, 4, 3]
    windows = order(pool, "score", column="s", window=3)
    assert [set(windows[i : i + 3]) for i in (0, 3, 6)] == [{6, 1, 2}, {0, 5, 4}, {3}]
    # Instances without a loss come last.
    pool = Pool(3, scores=[math.nan, 2.0, 1.0])
    assert order(pool, "score", quantity="loss", order="ascending") == [2, 1, 0]
    assert order(pool, "score", quantity="loss", order="descending") == [1, 2, 0]
    # 5, 6 and 3 characters; by either turn alone the order is another one.
    pool = Pool(3, messages=talks("a|bbbb", "aaaa|bb", "aa|b"))
    assert order(pool, "score", quantity="length") == [2, 0, 1]


ROWS = [{"q": 1.5}, {"q": 2}, {"q": -1e300}]


def write_pool(path: Path, rows: list[Any]) -> None:
    ids = [f"i{i}" for i in range(len(rows))]
    columns = [ids, ids, [[]] * len(rows), [[]] * len(rows), ids, [json.dumps(row) for row in rows]]
    pq.write_table(pa.table(columns, schema=SOURCES), path)


def check_scores(folder: Path, settings: Any, message: str | None) -> None:
    """Check that `ROWS` are sorted as i2, i0, i1, or that the message is raised."""
    if message is None:
        _, pool = read_pool(settings, instances=folder / "I.parquet")
        assert arrange(pool, settings, 0).order.tolist() == [2, 0, 1]
    else:
        with pytest.raises(InputError, match=re.escape(message)):
            read_pool(settings, instances=folder / "I.parquet")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS, None),
        ([*ROWS, {"q": None}], "row 3 (id 'i3'): column 'q' holds None"),
        ([*ROWS, {"q": "0.5"}], "row 3 (id 'i3'): column 'q' holds '0.5'"),
        ([{"q": math.nan}], "row 0 (id 'i0'): column 'q' holds nan"),
        ([{"q": True}], "column 'q' holds True"),
        ([{"q": 10**400}], "column 'q' holds 1000"),
        ([{"p": 1, "r": 2}], "row 0 (id 'i0'): column 'q' is missing; the row has p, r"),
    ],
)
def test_scores_in_a_column(tmp_path: Path, rows: list[Any], message: str | None) -> None:
    write_pool(tmp_path / "I.parquet", rows)
    check_scores(tmp_path, pools.settings("score", column="q"), message)


@pytest.mark.parametrize(
    ("ids", "scores", "message"),
    [
        (["i1", "i0", "i2", "other"], [3, 2, 1, 0], None),
        (
            ["i2", "i0"],
            [3.0, 1.0],
            "no score for 1 of 3 training instances, the first of them 'i1'",
        ),
        (["i2", "i1", "i0", "i2"], [3, 1, 2, 1], "id 'i2' stands in 2 rows"),
        (["i2", "i1", "i0"], ["3", "1", "2"], "column 'score' holds string, expected numbers"),
        (["i2", "i1", "i0"], [3.0, None, 2.0], "row 1 (id 'i1') has the score None"),
        (["i2", "i1", "i0"], [3.0, 1.0, math.nan], "row 2 (id 'i0') has the score nan"),
    ],
)
def test_scores_in_a_table(
    tmp_path: Path, ids: list[str], scores: list[Any], message: str | None
) -> None:
    write_pool(tmp_path / "I.parquet", ROWS)
    path = tmp_path / "S.parquet"
    pq.write_table(pa.table({"id": ids, "score": scores}), path)
    check_scores(
        tmp_path, pools.settings("score", path=str(path)), message and f"{path}: {message}"
    )


def test_a_score_has_one_source() -> None:
    for parameters in ({}, {"column": "q", "quantity": "loss"}):
        with pytest.raises(InputError, match="give one of column, path and quantity, not"):
            METHODS.parse(json.dumps({"method": "score", **parameters}))
