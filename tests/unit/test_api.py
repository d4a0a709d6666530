"""`from nearfirst import tma, wsd, arrange`: on arrays, without the workflow."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pools
import pytest
from reference import algorithm_1

import nearfirst
from nearfirst import InputError, arrange, tma, wsd
from nearfirst.arrange import registry
from nearfirst.common.source_files import library_modules
from nearfirst.distance.distances import distance_matrix

ROOT = Path(__file__).parents[2]
GENERATOR = np.random.default_rng(0)
TRAIN, TEST = (1 + 0.5 * GENERATOR.random((n, 6)) for n in (60, 7))
TASKS = [f"task-{i % 4}" for i in range(60)]


def test_by_hand() -> None:
    # Distances 0, 1, 3 and 4, 3, 1: averages 2 each.
    train, test = [[0.0], [1.0], [3.0]], [[0.0], [4.0]]
    assert tma(train, test, measure="euclidean").tolist() == [1, 2, 1]
    # Averages 2, 2, 2; minima 0, 1, 1, so w = 2 / (2 / 3).
    np.testing.assert_allclose(wsd(train, test, measure="euclidean"), [2, 5, 5])
    order = arrange(train, test, measure="euclidean", within_round="pool", order="farthest")
    assert order.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    "parameters",
    [
        {"method": "cluster"},
        {"method": "wsd", "granularity": "task", "order": "farthest"},
        {"method": "tma", "rounds": (np.int64(1), np.int64(3)), "within_round": "pool"},
        {"method": "tma", "budget": 20, "select": "last"},
    ],
    ids=str,
)
def test_orders_are_those_of_the_workflow(parameters: Any) -> None:
    order = arrange(TRAIN, TEST, tasks=TASKS, seed=5, **parameters)
    pool = pools.from_embeddings(TRAIN, TEST, TASKS)
    expected = registry.arrange(pool, pools.settings(**parameters), 5).order
    assert order.tolist() == expected.tolist()
    assert order.dtype == np.int64


def test_other_kinds_of_arrays_give_the_rounds_of_algorithm_1() -> None:
    integers = GENERATOR.integers(1, 9, size=(20, 3))
    rounds = tma(integers, integers[:4])
    as_floats = integers.astype(np.float32)
    assert rounds.tolist() == algorithm_1(distance_matrix("cosine", as_floats, as_floats[:4]))
    assert rounds.dtype == np.int32
    for train in (integers.tolist(), np.asfortranarray(integers, dtype=np.float16)):
        assert tma(train, integers[:4], threads=1).tolist() == rounds.tolist()


NAN, ZEROS = TRAIN.copy(), TRAIN.copy()
NAN[3, 1], ZEROS[4] = np.nan, 0


@pytest.mark.parametrize(
    ("train", "parameters", "message"),
    [
        (TRAIN[:, :5], {}, "train: 5 dimensions, but test has 6"),
        (TRAIN[:0], {}, r"train: has the shape \(0, 6\)"),
        (NAN, {}, "train: row 3 holds NaN or infinity"),
        (NAN.astype(object), {}, "train: holds object, expected real numbers"),
        (1e300 * TRAIN, {}, "train: row 0 holds NaN or infinity"),
        (ZEROS, {}, "embedding 4 is all zeros"),
        (TRAIN, {"measure": "manhattan"}, "measure: 'manhattan' is none of cosine, euclidean"),
        (TRAIN, {"method": "nearest"}, "method: 'nearest' is none of bm25, cluster"),
        (TRAIN, {"queries": "half"}, "queries: only the workflow has this key"),
        (TRAIN, {"steps": 5}, "steps: only the workflow has this key"),
        (TRAIN, {"budget": TASKS.index}, "parameters: .* is no number"),
    ],
)
def test_invalid_arguments(train: Any, parameters: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        arrange(train, TEST, **parameters)
    assert len(str(error.value).splitlines()) == 1


def test_parameters_may_be_numbers_and_arrays_of_numpy(tmp_path: Path) -> None:
    half: Any = {"budget": np.float32(0.5)}
    assert np.array_equal(arrange(TRAIN, TEST, **half), arrange(TRAIN, TEST, budget=0.5))
    rounds: Any = {"rounds": np.array([0, 2])}
    assert np.array_equal(arrange(TRAIN, TEST, **rounds), arrange(TRAIN, TEST, rounds=[0, 2]))
    own = tmp_path / "own.py"
    own.write_text("def cut(pool, seed, at):\n    return range(round(at * pool.size))\n")
    cut: Any = {"needs": [], "parameters": {"at": np.float32(0.5)}}
    assert len(arrange(TRAIN, TEST, method=f"{own}:cut", **cut)) == 30


def test_zeros_have_euclidean_distances_and_ragged_lists_are_no_array() -> None:
    assert len(wsd(ZEROS, TEST, measure="euclidean")) == 60
    with pytest.raises(ValueError, match="inhomogeneous"):
        tma([[1.0], [1.0, 2.0]], TEST)


def test_names_are_loaded_on_demand_and_no_other() -> None:
    code = (
        "import sys, nearfirst\n"
        "print(*[name for name in sys.modules if name.startswith('nearfirst.')])\n"
        "from nearfirst import arrange, tma, wsd\n"
        "print(*{'ot', 'pyarrow', 'scipy', 'snakemake', 'torch'} & {*sys.modules})\n"
    )
    packages = [part for part in sys.path if "site-packages" in part]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join([str(ROOT / "workflow"), *packages])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "\n\n"), done.stderr
    assert {"arrange", "tma", "wsd"} < set(dir(nearfirst))
    with pytest.raises(AttributeError, match="no attribute 'order'"):
        _ = nearfirst.order  # type: ignore[attr-defined]


def test_the_stub_names_what_there_is_and_no_program_depends_on_it() -> None:
    stub = ast.parse((ROOT / "workflow/nearfirst/__init__.pyi").read_text())
    named = [alias.asname for node in stub.body for alias in node.names]  # type: ignore[attr-defined]
    assert named == nearfirst.__all__
    for program in (ROOT / "workflow/scripts").glob("*.py"):
        modules = library_modules(program, ROOT / "workflow")
        assert ROOT / "workflow/nearfirst/api.py" not in modules
