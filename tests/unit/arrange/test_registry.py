"""Properties of every method, and the table of methods in the docs."""

import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.arrange.pool import Pool
from nearfirst.arrange.registry import METHODS, arrange
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.common.errors import InputError

DOCS = (Path(__file__).parents[3] / "docs/arrangements.md").read_text()


def variants() -> list[ArrangementSettings]:
    """Return every method with every choice of its parameters, except rounds and budgets."""
    result = []
    for name in METHODS.names():
        choices = {
            key: get_args(field.annotation)
            for key, field in METHODS.settings(name).model_fields.items()
            if key not in {"method", "select", "queries"}
            and get_origin(field.annotation) is Literal
        }
        if name == "score":
            choices |= {"quantity": ("length", "loss"), "window": (0, 9), "temperature": (0, 4)}
        if name == "dsir":
            choices["resample"] = (False, True)
        for values in product(*choices.values()):
            result.append(pools.settings(name, **dict(zip(choices, values, strict=True))))
    return result


ALL = variants()
BUDGETS = [
    pools.settings("tma", budget=20, select=select, order=order, within_round=within)
    for select, order, within in product(
        ("first", "last", "both"), pools.ORDERS, ("shuffle", "pool")
    )
]


@given(pools.POOLS, st.sampled_from(ALL), pools.SEEDS)
def test_an_arrangement_is_a_permutation_and_depends_on_nothing_but_its_seed(
    pool: Pool, settings: ArrangementSettings, seed: int
) -> None:
    arranged = arrange(pool, settings, seed)
    assert arranged.order.dtype == np.int64
    assert sorted(arranged.order.tolist()) == list(range(pool.size))
    assert (arranged.rounds is not None) == (settings.method == "tma")
    again = arrange(replace(pool, threads=3), settings, seed)
    assert again.order.tolist() == arranged.order.tolist()


@pytest.mark.parametrize("settings", ALL + BUDGETS, ids=str)
def test_another_seed_gives_another_order_where_the_table_says_so(
    settings: ArrangementSettings,
) -> None:
    pool = pools.random(60, tests=20)
    orders = {tuple(arrange(pool, settings, seed).order.tolist()) for seed in range(4)}
    assert len(orders) == (4 if settings.is_seeded() else 1)


@pytest.mark.parametrize("order", ["nearest", "farthest"])
@pytest.mark.parametrize(
    "method", ["tma", "wsd", "optimal-transport", "cosine", "query-round-robin"]
)
def test_ties_are_broken_by_the_seed_and_not_by_the_file(method: str, order: str) -> None:
    # Two groups of instances that are equally near.
    pool = pools.from_matrix(np.repeat([[0.5, 0.5], [1.0, 1.0]], 8, axis=0))
    settings = pools.settings(method, order=order)
    orders = [arrange(pool, settings, seed).order.tolist() for seed in range(3)]
    assert len(set(map(tuple, orders))) == 3
    for rows in orders:
        near = rows[:8] if order == "nearest" else rows[8:]
        assert sorted(near) == list(range(8))
        assert rows[:8] not in (sorted(rows[:8]), sorted(rows[:8], reverse=True))


@pytest.mark.parametrize("settings", ALL, ids=str)
def test_a_method_looks_at_nothing_that_it_does_not_need(settings: ArrangementSettings) -> None:
    pool = pools.random(30)
    bare = Pool(30)
    if "tasks" in settings.required():
        bare = replace(bare, tasks=pool.tasks)
    for key in settings.required() & {"messages", "queries", "scores"}:
        bare = replace(bare, **{key: getattr(pool, key)})
    if "embeddings" in settings.required():
        bare = replace(bare, train=pool.train, test=pool.test, distances=pool.distances)
    order = arrange(bare, settings, 1).order
    assert order.tolist() == arrange(pool, settings, 1).order.tolist()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (pools.settings("cluster"), "needs tasks, and got 0 for 5"),
        (pools.settings("tma"), "needs embeddings"),
        (pools.settings("score", column="ifd"), "needs scores"),
        (pools.settings("bm25"), "needs messages"),
    ],
)
def test_a_pool_that_lacks_something(settings: ArrangementSettings, named: str) -> None:
    with pytest.raises(InputError, match=named):
        arrange(Pool(5), settings, 0)
    with pytest.raises(InputError, match="without embeddings"):
        Pool(5).distances(slice(0, 5))


def test_a_part_of_a_pool_keeps_what_belongs_to_its_instances() -> None:
    pool = replace(pools.random(6), tokens=range(6))
    part = pool.keeping(np.array([4, 1, 3]))
    assert part.size == 3
    for name in ("tasks", "messages", "scores", "tokens"):
        assert list(getattr(part, name)) == [getattr(pool, name)[row] for row in (4, 1, 3)]
    np.testing.assert_array_equal(part.train, pool.train[[4, 1, 3]])
    np.testing.assert_array_equal(part.distances(slice(1, 3)), pool.distances(np.array([1, 3])))


# Parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "tma", "rounds": [-1, 3]}, "rounds: [-1, 3) is not a range"),
        ({"method": "tma", "rounds": [0, 5], "budget": 9}, "budget: cannot be combined"),
        ({"method": "tma", "select": "last"}, "select: needs a budget in whole rounds"),
    ],
)
def test_parameters_that_a_method_cannot_read(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        METHODS.parse(json.dumps(parameters))


# A function in a user's file -------------------------------------------------------------------

BY_LENGTH = """\
def by_length(pool, seed, longest=False):
    lengths = [sum(len(turn["content"]) for turn in turns) for turns in pool.messages]
    return sorted(range(pool.size), key=lengths.__getitem__, reverse=longest)

def constant(pool, seed, value):
    return value

def broken(pool, seed):
    return pool.nothing
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pool:
    """A pool of three, and my_orders.py in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_orders.py").write_text(BY_LENGTH)
    texts = ["four", "two", "seventeen"]
    messages: Any = [[{"role": "user", "content": text}] for text in texts]
    return Pool(3, tasks=["a", "a", "b"], messages=messages)


def test_a_function_in_a_file(own: Pool) -> None:
    settings = pools.settings("my_orders.py:by_length")
    assert settings.required() == {"tasks", "messages"}
    assert settings.is_seeded()
    assert arrange(own, settings, 0).order.tolist() == [1, 0, 2]
    longest = pools.settings(
        "my_orders.py:by_length", parameters={"longest": True}, seeded=False, needs=["messages"]
    )
    assert arrange(own, longest, 0).order.tolist() == [2, 0, 1]
    assert not longest.is_seeded()
    with pytest.raises(InputError, match="needs messages, and got 0"):
        arrange(Pool(3), longest, 0)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("my_order.py:by_length", "method: my_order.py: no such file"),
        ("my_orders.py:by_lenght", "no function 'by_lenght' at its top level; did you mean 'by_l"),
        ("broken.py:f", "method: broken.py: not valid Python"),
        ("my_orders.txt:f", "method: String should match pattern"),
    ],
)
def test_a_file_that_lacks_the_function(own: Pool, method: str, message: str) -> None:
    Path("broken.py").write_text("def f(:")
    with pytest.raises(InputError, match=message):
        METHODS.parse(json.dumps({"method": method}))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([0, 1, 3], "returned an index that is not from 0 to 2"),
        ([0, 1, 1], "returned instance 1 twice"),
        ([0.0, 1.0], "returned an array of float64 and shape .2,.; expected a one-dim"),
        ([], "instance indices"),
        (None, r"returned an array of object and shape \(\); expected"),
        ([[0, 1, 2]], "shape .1, 3.; expected a one-dim"),
    ],
)
def test_a_function_that_returns_no_order(own: Pool, value: Any, message: str) -> None:
    settings = pools.settings("my_orders.py:constant", parameters={"value": value})
    with pytest.raises(InputError, match=f"method 'my_orders.py:constant' .*{message}"):
        arrange(own, settings, 0)


def test_a_function_that_raises_is_named_with_its_line(own: Pool) -> None:
    message = r"'my_orders.py:broken' raised AttributeError: .*nothing.* \(my_orders.py, line 9\)"
    with pytest.raises(InputError, match=f"{message}.* tasks, messages "):
        arrange(own, pools.settings("my_orders.py:broken"), 0)


def test_the_documentation_lists_every_method_with_its_parameters() -> None:
    rows = {}
    for line in DOCS.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4:
            rows[cells[0].strip("`")] = cells[3]
    assert rows.keys() == {*METHODS.names()}
    for name, parameters in rows.items():
        fields = METHODS.settings(name).model_fields.keys() - ArrangementSettings.model_fields
        assert {*re.findall(r"`(\w+)`", parameters)} - {"budget"} == fields
