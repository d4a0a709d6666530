"""What holds for every method, and what the table of methods says of them."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pools
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nearfirst.arrange import registry as registry
from nearfirst.arrange.pool import Arranged, Method, Pool
from nearfirst.arrange.registry import METHODS, arrange, check, flags, is_seeded, needs
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.common.errors import InputError

DOCS = (Path(__file__).parents[3] / "docs/arrangements.md").read_text()
FIELDS = ArrangementSettings.model_fields


def variants() -> list[ArrangementSettings]:
    """Return every method with every choice of what it reads, but for rounds and budgets."""
    found = []
    for name, method in METHODS.items():
        choices = {
            key: get_args(FIELDS[key].annotation)
            for key in method.reads
            if key not in ("rounds", "budget", "select")
        }
        for values in product(*choices.values()):
            found.append(pools.settings(name, **dict(zip(choices, values, strict=True))))
    return found


ALL = variants()
BUDGETS = [
    pools.settings("tma", budget=20, select=select, order=order, within_round=within)
    for select, order, within in product(
        ("first", "last", "both"), pools.ORDERS, ("shuffle", "pool")
    )
]


def test_the_methods_of_the_paper_are_there() -> None:
    assert list(METHODS)[:5] == ["random", "round-robin", "cluster", "wsd", "tma"]
    assert "optimal-transport" in METHODS
    assert len(ALL) == 3 + 6 + 12 + 3


@hypothesis_settings(deadline=None)
@given(pools.POOLS, st.sampled_from(ALL), pools.SEEDS)
def test_an_arrangement_is_a_permutation_and_depends_on_nothing_but_its_seed(
    pool: Pool, settings: ArrangementSettings, seed: int
) -> None:
    found = arrange(pool, settings, seed)
    assert found.order.dtype == np.int64
    assert sorted(found.order.tolist()) == list(range(pool.size))
    assert (found.rounds is not None) == (settings.method == "tma")
    again = arrange(replace(pool, threads=3), settings, seed)
    assert again.order.tolist() == found.order.tolist()


@pytest.mark.parametrize("settings", ALL + BUDGETS, ids=flags)
def test_another_seed_gives_another_order_where_the_table_says_so(
    settings: ArrangementSettings,
) -> None:
    pool = pools.some(60, tests=20)
    orders = {tuple(arrange(pool, settings, seed).order.tolist()) for seed in range(4)}
    assert len(orders) == (4 if is_seeded(settings) else 1)


@pytest.mark.parametrize("settings", ALL, ids=flags)
def test_a_method_looks_at_nothing_that_it_does_not_need(settings: ArrangementSettings) -> None:
    pool = pools.some(30)
    bare = Pool(30)
    if "tasks" in needs(settings):
        bare = replace(bare, tasks=pool.tasks)
    if "embeddings" in needs(settings):
        bare = replace(bare, train=pool.train, test=pool.test, distances=pool.distances)
    found = arrange(bare, settings, 1)
    assert found.order.tolist() == arrange(pool, settings, 1).order.tolist()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (pools.settings("cluster"), "needs the tasks of all 5"),
        (pools.settings("tma"), "needs the embeddings of all 5"),
        (pools.settings("wsd", granularity="task"), "needs the embeddings of all 5"),
    ],
)
def test_a_pool_that_lacks_something(settings: ArrangementSettings, named: str) -> None:
    with pytest.raises(InputError, match=named):
        arrange(Pool(5), settings, 0)
    with pytest.raises(InputError, match="without embeddings"):
        Pool(5).distances(slice(0, 5))


# Parameters ----------------------------------------------------------------------------------

OTHER: dict[str, dict[str, Any]] = {
    "order": {"order": "farthest"},
    "within_round": {"within_round": "pool"},
    "granularity": {"granularity": "task"},
    "rounds": {"rounds": (0, 1)},
    "budget": {"budget": 3},
    "select": {"select": "first", "budget": 3},
    "farthest": {"farthest": "argmax"},
}


@pytest.mark.parametrize(("name", "key"), list(product(METHODS, OTHER)))
def test_a_parameter_that_a_method_does_not_read_is_named(name: str, key: str) -> None:
    settings = pools.settings(name, **OTHER[key])
    if key in METHODS[name].reads:
        assert check(settings) is METHODS[name]
    else:
        with pytest.raises(InputError, match=rf"^({'|'.join(OTHER[key])}): method '{name}'"):
            check(settings)


def test_every_parameter_is_tried_and_the_length_of_a_run_is_no_parameter() -> None:
    assert OTHER.keys() == FIELDS.keys() - {"method", "steps"}
    check(pools.settings("random", steps="epoch"))


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"rounds": [3, 3]}, "rounds: from 3 to before 3 is none"),
        ({"rounds": [-1, 3]}, "rounds: from -1 to before 3 is none"),
        ({"rounds": [0, 5], "budget": 9}, "budget: cannot be combined with rounds"),
        ({"select": "last"}, "select: says which rounds a budget takes"),
        ({"budget": 0}, "budget: Input should be greater than 0"),
        ({"rounds": [3]}, "rounds.1: Field required"),
        ({"order": "nearby"}, "order: Input should be 'nearest', 'farthest' or 'random'"),
    ],
)
def test_parameters_that_no_method_could_read(parameters: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=re.escape(named)):
        ArrangementSettings.parse(json.dumps({"method": "tma", **parameters}))


def test_an_unknown_method_lists_those_there_are() -> None:
    with pytest.raises(InputError, match="method: 'tna' is none of random, round-robin, cluster"):
        check(pools.settings("tna"))


@pytest.mark.parametrize("settings", ALL + BUDGETS, ids=flags)
def test_flags_hold_what_was_set(settings: ArrangementSettings) -> None:
    words = shlex.split(flags(settings))
    given_ = {k[2:].replace("-", "_"): v for k, v in zip(words[::2], words[1::2], strict=True)}
    assert ArrangementSettings.model_validate(given_) == settings
    assert all(
        key in ("method", "order") or value != str(FIELDS[key].default)
        for key, value in given_.items()
    )


def test_flags_by_hand() -> None:
    assert flags(pools.settings("random", steps=5)) == "--method random"
    some = pools.settings("tma", rounds=(0, 5), within_round="pool")
    assert flags(some) == "--method tma --order nearest --within-round pool --rounds 0 5"


def test_the_table_of_methods_is_cheap_to_import() -> None:
    code = (
        "import sys, nearfirst.arrange.registry; print(*{'ot', 'scipy', 'torch'} & {*sys.modules})"
    )
    path = ":".join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


# One of one's own ----------------------------------------------------------------------------


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Callable[[Method], None]:
    return lambda method: monkeypatch.setitem(registry.METHODS, "own", method)


def test_the_example_of_the_documentation(add: Callable[[Method], None]) -> None:
    function, line = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    names: dict[str, Any] = dict(vars(registry))
    exec(function, names)
    ((name, method),) = eval(f"{{{line}}}", names).items()
    add(method)
    pool = pools.from_embeddings([[1, 0], [2, 1], [0, 3]], [[1, 1], [2, 0]])
    found = [arrange(pool, pools.settings("own"), seed).order.tolist() for seed in range(3)]
    # Directions of 0, 27 and 90 degrees; that of the mean is 18.
    assert found == [[1, 0, 2]] * 3
    assert not is_seeded(pools.settings("own"))
    assert flags(pools.settings("own")) == "--method own"
    with pytest.raises(InputError, match="order: method 'own' does not read it"):
        arrange(pool, pools.settings("own", order="farthest"), 0)
    assert name not in METHODS


@pytest.mark.parametrize("order", [[0, 1, 3], [0, -1], [0.0, 1.0]])
def test_a_method_that_returns_no_indices_into_the_pool_is_found_out(
    add: Callable[[Method], None], order: list[float]
) -> None:
    add(Method(lambda pool, settings, seed: Arranged(np.array(order))))
    with pytest.raises(InputError, match="method 'own' returned no order of indices from 0 to 2"):
        arrange(Pool(3), pools.settings("own"), 0)


@pytest.mark.parametrize("order", [[0, 1, 1], [0, 0]])
def test_a_method_that_takes_an_instance_twice_is_found_out(
    add: Callable[[Method], None], order: list[int]
) -> None:
    add(Method(lambda pool, settings, seed: Arranged(np.array(order))))
    with pytest.raises(InputError, match="method 'own' returned an instance twice"):
        arrange(Pool(3), pools.settings("own"), 0)


def test_the_documentation_lists_every_method_with_what_it_reads() -> None:
    rows = {}
    for line in DOCS.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4:
            rows[cells[0].strip("`")] = cells[2:]
    assert rows.keys() == METHODS.keys()
    for name, (needed, read) in rows.items():
        assert tuple(re.findall(r"`(\w+)`", read)) == METHODS[name].reads
        assert {word for word in ("tasks", "embeddings") if word in needed.split(";")[0]} == (
            METHODS[name].needs
        )
