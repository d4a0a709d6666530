"""Prefix curves against a loop over prefixes, Theorem B.1, and the program."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Program

from nearfirst.common.by_task import rows_by_task
from nearfirst.common.embeddings import write_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity
from nearfirst.distance import similarity
from nearfirst.distance.distances import Matrix, distance_matrix
from nearfirst.distance.ngram_divergence import kl_curves
from nearfirst.distance.similarity import (
    Floats,
    Integers,
    checkpoints,
    embedding_curves,
)

few_examples = settings(max_examples=50)


class Case(NamedTuple):
    train: Matrix
    test: Matrix
    order: Integers
    ends: list[int]
    groups: dict[str, Integers]


def groups_of(tasks: list[str]) -> dict[str, Integers]:
    return rows_by_task(tasks) | {"": np.arange(len(tasks))}


def unit(points: Any) -> Matrix:
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw unit vectors, duplicates among them, and an order of some of the training points."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    train = unit(generator.normal(size=(draw(st.integers(1, 25)), 5)))
    train[generator.random(len(train)) < 0.2] = train[0]
    test = unit(generator.normal(size=(draw(st.integers(1, 8)), 5)) + 0.5)
    seen = draw(st.integers(1, len(train)))
    order = generator.permutation(len(train))[:seen]
    # From the second epoch on nothing new is seen.
    ends = [*sorted(draw(st.sets(st.integers(1, seen)))), seen, seen]
    tasks = [f"task-{i}" for i in generator.integers(3, size=len(test))]
    return Case(train, test, order, ends, groups_of(tasks))


def slow(case: Case) -> dict[str, Floats]:
    """Return the curves in float64, each prefix computed from scratch."""
    shape = (len(case.ends), len(case.groups))
    curves: dict[str, Floats] = {}
    for k, end in enumerate(case.ends):
        a = case.train[case.order[:end]].astype(np.float64)
        for g, rows in enumerate(case.groups.values()):
            b = case.test[rows].astype(np.float64)
            for measure, pair in (
                ("cosine", lambda x, y: -(x @ y) / np.linalg.norm(x) / np.linalg.norm(y)),
                ("euclidean", lambda x, y: np.sqrt(((x - y) ** 2).sum())),
            ):
                pairs = np.array([[pair(x, y) for y in b] for x in a])
                values = {
                    "min": pairs.min(),
                    "max": pairs.max(),
                    "avg": pairs.mean(),
                    "centroid": pair(a.mean(axis=0), b.mean(axis=0)),
                }
                for op, value in values.items():
                    curves.setdefault(f"{measure}-{op}", np.empty(shape))[k, g] = value
    return curves


@few_examples
@given(cases(), st.sampled_from([2, 3, 1024]))
def test_a_loop_over_prefixes(case: Case, rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "ROWS", rows)
        curves = embedding_curves(*case)
    expected = slow(case)
    assert list(curves) == list(expected)
    for measure, curve in expected.items():
        np.testing.assert_allclose(curves[measure], curve, rtol=1e-5, atol=2e-6, err_msg=measure)


@few_examples
@given(cases(), st.sampled_from(["avg", "min"]))
def test_theorem_b1_nearest_first_the_distance_never_decreases(case: Case, op: str) -> None:
    distances = distance_matrix("cosine", case.train, case.test)
    reduced = distances.mean(axis=1) if op == "avg" else distances.min(axis=1)
    nearest = np.argsort(reduced, kind="stable")
    ends, groups = range(1, len(nearest) + 1), {"": case.groups[""]}
    rising = embedding_curves(case.train, case.test, nearest, ends, groups)[f"cosine-{op}"]
    assert (np.diff(rising[:, 0]) > -1e-6).all()
    falling = embedding_curves(case.train, case.test, nearest[::-1], ends, groups)[f"cosine-{op}"]
    assert (np.diff(falling[:, 0]) < 1e-6).all()


def test_threads_do_not_change_a_bit() -> None:
    generator = np.random.default_rng(0)
    train, test = (generator.normal(size=(n, 64)).astype(np.float32) for n in (3000, 40))
    order, ends = generator.permutation(3000), [7, 160, 2900, 3000]
    groups = groups_of(["a", "b"] * 20)
    curves, expected = (embedding_curves(train, test, order, ends, groups, n) for n in (2, 1))
    for measure, curve in expected.items():
        np.testing.assert_array_equal(curves[measure], curve)


def test_a_centroid_at_the_origin_has_no_direction() -> None:
    train = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    curves = embedding_curves(train, train[:1], np.arange(2), [1, 2], {"": np.arange(1)})
    np.testing.assert_array_equal(curves["cosine-centroid"], [[-1], [np.nan]])
    np.testing.assert_array_equal(curves["euclidean-centroid"], [[0], [1]])


@pytest.mark.parametrize(
    ("arguments", "steps", "seen"),
    [
        ((100, 16, 2, "epoch"), [2, 4, 6, 7], [32, 64, 96, 100]),
        ((96, 16, 2, "epoch"), [2, 4, 6], [32, 64, 96]),
        ((100, 16, 2, 5), [2, 4, 5], [32, 64, 80]),
        ((100, 16, 10, 7), [7], [100]),
        ((100, 16, 2, 5, 2), [2, 4, 6, 8, 10], [32, 64, 80, 80, 80]),
    ],
)
def test_checkpoints(arguments: Any, steps: list[int], seen: list[int]) -> None:
    assert [part.tolist() for part in checkpoints(*arguments)] == [steps, seen]


def test_more_steps_than_instances() -> None:
    with pytest.raises(InputError, match="the largest number of steps is 7"):
        checkpoints(100, 16, 10, 8)


def test_the_program(
    tmp_path: Path, program: Program, some_talks: Any, write_instances: Any, write_arrangement: Any
) -> None:
    generator = np.random.default_rng(0)
    sides, texts = {"train": 50, "test": 7}, {}
    vectors, flags = [], []
    for side, count in sides.items():
        talks = some_talks(count, seed=count)
        instances, embeddings = tmp_path / f"{side}.parquet", tmp_path / f"{side}-e.parquet"
        ids = write_instances(instances, talks, dataset="flan", test=side)
        vectors.append(unit(generator.normal(size=(count, 8))))
        write_embeddings(ids, vectors[-1], embeddings)
        texts[side] = [" ".join(turn["content"] for turn in talk) for talk in talks]
        flags += [f"--{side}-instances", instances, f"--{side}-embeddings", embeddings]
    arrangement, output = tmp_path / "order.parquet", tmp_path / "similarity.parquet"
    identity = {"dataset": "flan", "arrangement": "random", "seed": "2"}
    write_arrangement(arrangement, [f"id-{i}" for i in range(40, 3, -1)], **identity)
    flags = ["similarity.py", *flags, "--arrangement", arrangement, "--output", output]

    program(
        *flags, "--batch-size", 4, "--checkpoint-every", 3, "--settings", '{"ngram": 1}', check=True
    )
    assert read_identity(output) == {**identity, "test": "test"}
    table = pq.read_table(output).to_pandas()
    assert [*table] == ["step", "seen", "task", "measure", "distance"]
    order, ends = np.arange(40, 3, -1), [12, 24, 36, 37]
    assert table.groupby("step")["seen"].unique().map(list).to_dict() == {
        step: [seen] for step, seen in zip([3, 6, 9, 10], ends, strict=True)
    }
    groups = groups_of([f"task-{i % 3}" for i in range(7)])
    expected = embedding_curves(*vectors, order, ends, groups)
    train = [texts["train"][i] for i in order]
    expected["ngram-kl"] = kl_curves(train, texts["test"], ends, groups, ngram=1)
    assert table["measure"].unique().tolist() == list(expected)
    for (measure, task), rows in table.groupby(["measure", "task"]):
        column = list(groups).index(task)
        np.testing.assert_array_equal(rows["distance"], expected[measure][:, column])
    assert len(table) == 4 * 4 * 9
