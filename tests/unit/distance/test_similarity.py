"""Prefix curves against a loop over prefixes, what theory says of them, and the program."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import embeddings_table, write_table
from nearfirst.distance import similarity
from nearfirst.distance.distances import Matrix, whole
from nearfirst.distance.ngram_divergence import kl_curves
from nearfirst.distance.similarity import (
    Floats,
    Integers,
    checkpoints,
    embedding_curves,
    groups_of,
)
from nearfirst.figures.task_curves import scaled_average

Program = Callable[..., subprocess.CompletedProcess[str]]

# Threads of a busy machine take their time.
patient = settings(deadline=None)
# Distances are float32, and their last bit depends on where in a block a pair stands.
CLOSE: dict[str, float] = {"rtol": 1e-5, "atol": 2e-6}


class Case(NamedTuple):
    train: Matrix
    test: Matrix
    order: Integers
    ends: list[int]
    groups: dict[str, Integers]


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
    ends = sorted({*draw(st.sets(st.integers(1, seen))), seen})
    tasks = [f"task-{i}" for i in generator.integers(3, size=len(test))]
    return Case(train, test, order, ends, groups_of(tasks))


def slow(case: Case) -> dict[str, Floats]:
    """Return the curves, each prefix by itself, in float64."""
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
                found = {
                    "min": pairs.min(),
                    "max": pairs.max(),
                    "avg": pairs.mean(),
                    "centroid": pair(a.mean(axis=0), b.mean(axis=0)),
                }
                for op, value in found.items():
                    curves.setdefault(f"{measure}-{op}", np.empty(shape))[k, g] = value
    return curves


@patient
@given(cases(), st.sampled_from([2, 3, 1024]))
def test_a_loop_over_prefixes(case: Case, rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "ROWS", rows)
        found = embedding_curves(*case)
    expected = slow(case)
    assert list(found) == list(expected)
    for measure, curve in expected.items():
        np.testing.assert_allclose(found[measure], curve, **CLOSE, err_msg=measure)


@patient
@given(cases(), st.sampled_from(["avg", "min"]))
def test_theorem_b1_nearest_first_the_distance_never_decreases(case: Case, op: str) -> None:
    distances = whole("cosine", case.train, case.test)
    each = distances.mean(axis=1) if op == "avg" else distances.min(axis=1)
    nearest = np.argsort(each, kind="stable")
    ends, groups = range(1, len(nearest) + 1), {"": case.groups[""]}
    rising = embedding_curves(case.train, case.test, nearest, ends, groups)[f"cosine-{op}"]
    assert (np.diff(rising[:, 0]) > -1e-6).all()
    falling = embedding_curves(case.train, case.test, nearest[::-1], ends, groups)[f"cosine-{op}"]
    assert (np.diff(falling[:, 0]) < 1e-6).all()
    np.testing.assert_allclose(rising[0], each.min(), atol=1e-6)
    np.testing.assert_allclose(falling[0], each.max(), atol=1e-6)


@patient
@given(cases())
def test_of_unit_vectors_one_measure_follows_from_the_other(case: Case) -> None:
    found = embedding_curves(*case)
    for op in ("min", "max"):
        expected = np.sqrt(np.maximum(0, 2 + 2 * found[f"cosine-{op}"]))
        # Near zero the root makes 1e-7 of the cosine 3e-4 of the distance.
        np.testing.assert_allclose(found[f"euclidean-{op}"], expected, atol=1e-3)
    # A mean of distances is none of mean distances, unless there is but one pair.
    pair = embedding_curves(case.train, case.test, case.order, [1], {"": np.array([0])})
    expected = np.sqrt(np.maximum(0, 2 + 2 * pair["cosine-avg"]))
    np.testing.assert_allclose(pair["euclidean-avg"], expected, atol=1e-3)


@patient
@given(cases(), st.integers(0, 1000))
def test_the_order_inside_a_prefix_does_not_matter(case: Case, seed: int) -> None:
    generator = np.random.default_rng(seed)
    checkpoint = int(generator.integers(len(case.ends)))
    mixed = case.order.copy()
    generator.shuffle(mixed[: case.ends[checkpoint]])
    texts = [" ".join(generator.choice(["a", "b", "c"], 6)) for _ in case.train]
    tests = ["a b c"] * len(case.test)

    def nine(order: Integers) -> dict[str, Floats]:
        curves = embedding_curves(case.train, case.test, order, case.ends, case.groups)
        seen = [texts[i] for i in order]
        return {**curves, "ngram-kl": kl_curves(seen, tests, case.ends, case.groups)}

    expected, found = nine(case.order), nine(mixed)
    assert len(expected) == 9
    for measure, curve in expected.items():
        np.testing.assert_allclose(
            found[measure][checkpoint:], curve[checkpoint:], **CLOSE, err_msg=measure
        )


def test_threads_do_not_change_a_bit() -> None:
    generator = np.random.default_rng(0)
    train, test = (generator.normal(size=(n, 64)).astype(np.float32) for n in (3000, 40))
    order, ends = generator.permutation(3000), [7, 160, 2900, 3000]
    groups = groups_of(["a", "b"] * 20)
    one, two = (embedding_curves(train, test, order, ends, groups, n) for n in (1, 2))
    for measure, curve in one.items():
        np.testing.assert_array_equal(curve, two[measure])


def test_a_centroid_at_the_origin_has_no_direction() -> None:
    train = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    found = embedding_curves(train, train[:1], np.arange(2), [1, 2], {"": np.arange(1)})
    np.testing.assert_array_equal(found["cosine-centroid"], [[-1], [np.nan]])
    np.testing.assert_array_equal(found["euclidean-centroid"], [[0], [1]])


def test_groups_in_order_of_appearance_then_the_whole() -> None:
    found = {name: rows.tolist() for name, rows in groups_of(["b", "a", "b"]).items()}
    assert list(found.items()) == [("b", [0, 2]), ("a", [1]), ("", [0, 1, 2])]


@pytest.mark.parametrize(
    ("instances", "every", "steps", "at", "seen"),
    [
        (100, 2, "epoch", [2, 4, 6, 7], [32, 64, 96, 100]),
        (96, 2, "epoch", [2, 4, 6], [32, 64, 96]),
        (100, 2, 6, [2, 4, 6], [32, 64, 96]),
        (100, 2, 5, [2, 4, 5], [32, 64, 80]),
        (100, 10, 7, [7], [100]),
    ],
)
def test_checkpoints(
    instances: int, every: int, steps: Any, at: list[int], seen: list[int]
) -> None:
    found = checkpoints(instances, 16, every, steps)
    assert [part.tolist() for part in found] == [at, seen]


def test_more_steps_than_instances() -> None:
    with pytest.raises(InputError, match="the largest number of steps is 7"):
        checkpoints(100, 16, 10, 8)


def test_the_scaled_average_by_hand() -> None:
    average, minimum = np.array([-0.1, -0.2, -0.3]), np.array([-0.4, -0.5, -0.6])
    found = scaled_average(average, minimum)
    np.testing.assert_allclose(found, [-0.25, -0.5, -0.75], rtol=1e-15)
    assert found.mean() == pytest.approx(minimum.mean())


@pytest.mark.parametrize(
    ("average", "minimum"),
    [([0.1, 0.2], [-0.5, -0.6]), ([0.0, 0.0], [-0.5, -0.6]), ([-0.1, -0.1], [0.0, 0.0])],
)
def test_a_scale_that_turns_the_curve_over_is_refused(
    average: list[float], minimum: list[float]
) -> None:
    with pytest.raises(InputError, match="ratio must be positive and finite"):
        scaled_average(np.array(average), np.array(minimum))


class Tables:
    """Tables of 50 training and 7 test instances, and the command line that names them."""

    def __init__(self, folder: Path, write_instances: Any, some_talks: Any) -> None:
        generator = np.random.default_rng(0)
        self.folder, self.vectors, self.texts = folder, [], []
        for name, count in (("train", 50), ("test", 7)):
            talks = some_talks(count, seed=count)
            self.texts.append([" ".join(turn["content"] for turn in talk) for talk in talks])
            self.ids = write_instances(folder / f"{name}.parquet", talks)
            self.vectors.append(unit(generator.normal(size=(count, 8))))
            self.embed(name, self.ids, self.vectors[-1])

    def embed(self, name: str, ids: list[str], vectors: Matrix) -> None:
        write_table(embeddings_table(ids, vectors), self.folder / f"{name}-embeddings.parquet")

    def arguments(self, *more: object) -> list[object]:
        files = {
            **{f"{side}-instances": f"{side}.parquet" for side in ("train", "test")},
            **{f"{side}-embeddings": f"{side}-embeddings.parquet" for side in ("train", "test")},
            **{"arrangement": "order.parquet", "output": "similarity.parquet"},
        }
        flags = [part for flag, name in files.items() for part in (f"--{flag}", self.folder / name)]
        return ["similarity.py", *flags, *more]


@pytest.fixture
def tables(tmp_path: Path, write_instances: Any, some_talks: Any, write_arrangement: Any) -> Tables:
    write_arrangement(tmp_path / "order.parquet", [f"id-{i}" for i in range(40, 3, -1)])
    return Tables(tmp_path, write_instances, some_talks)


def test_the_program(tables: Tables, program: Program) -> None:
    options = ("--batch-size", 4, "--checkpoint-every", 3, "--settings", '{"ngram": 1}')
    done = program(*tables.arguments(*options))
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tables.folder / "similarity.parquet").to_pandas()
    assert [*table] == ["step", "seen", "task", "measure", "distance"]
    order, ends = np.arange(40, 3, -1), [12, 24, 36, 37]
    assert table.groupby("step")["seen"].unique().map(list).to_dict() == {
        step: [seen] for step, seen in zip([3, 6, 9, 10], ends, strict=True)
    }
    groups = groups_of([f"task-{i % 3}" for i in range(7)])
    expected = embedding_curves(*tables.vectors, order, ends, groups)
    train, test = tables.texts
    expected["ngram-kl"] = kl_curves([train[i] for i in order], test, ends, groups, n=1)
    assert table["measure"].unique().tolist() == list(expected)
    for (measure, task), rows in table.groupby(["measure", "task"]):
        column = list(groups).index(task)
        np.testing.assert_array_equal(rows["distance"], expected[measure][:, column])
    assert len(table) == 4 * 4 * 9


def test_bad_input_is_told_in_one_line(
    tables: Tables, program: Program, write_arrangement: Any
) -> None:
    def fails(*options: object) -> str:
        done = program(*tables.arguments(*options))
        assert done.returncode
        assert not (tables.folder / "similarity.parquet").exists()
        return done.stderr.splitlines()[-1]

    assert "the largest number of steps is 3" in fails("--steps", 4)
    assert "'0': expected a number from 1" in fails("--batch-size", 0)
    assert "task 'task-0'" in fails("--settings", '{"ngram": 50}')
    tables.embed("test", tables.ids[::-1], tables.vectors[1])
    assert "test-embeddings.parquet: row 0 has id 'id-6', but" in fails()
    tables.embed("test", tables.ids, tables.vectors[1][:, :5].copy())
    assert "test-embeddings.parquet has 5; embed both" in fails()
    tables.embed("test", tables.ids, tables.vectors[1])
    write_arrangement(tables.folder / "order.parquet", ["id-1", "who", "what"])
    assert "order.parquet: 2 ids are not in" in (line := fails())
    assert "the first is 'who'" in line


def test_the_program_needs_no_torch(tables: Tables) -> None:
    path = Path(__file__).parents[3] / "workflow/scripts" / str(tables.arguments()[0])
    code = f"import runpy, sys; runpy.run_path({str(path)!r}); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
