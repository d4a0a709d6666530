"""Reading runs and similarities, and which runs can be compared."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runs import figure, rows, run, save, tables, write_similarity

from nearfirst.common.errors import InputError
from nearfirst.figures.figure import RunId
from nearfirst.figures.read import read_runs, read_similarities, results_by_test, results_of
from nearfirst.figures.registry import KINDS
from nearfirst.figures.run import by_label


def test_segments_are_joined_and_sorted(tmp_path: Path) -> None:
    counts = {"left_out": 3, "trained": 660, "without_label": 26}
    segments = [
        save(rows({20: (0.25, 3)}).iloc[::-1], tmp_path / "10-20.parquet", **counts),
        save(rows({0: (1, 1), 10: (0.5, 2)}), tmp_path / "0-10.parquet", **counts),
    ]
    (run,) = read_runs(segments).values()
    expected = {"a": {0: 1, 10: 0.5, 20: 0.25}, "b": {0: 1, 10: 2, 20: 3}}
    assert run.values.to_dict() == expected
    assert run.values.index.is_monotonic_increasing
    assert run.task.to_dict() == {"a": "task", "b": "task"}
    assert run.label_tokens.to_dict() == {"a": 1, "b": 1}
    assert run.counts() == counts
    # Unknown counts have no columns.
    (run,) = read_runs([save(rows({0: (1, 1)}), tmp_path / "bare.parquet")]).values()
    assert run.counts() == {"left_out": 0}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_a_run_that_diverged_names_its_file(tmp_path: Path, bad: float | None) -> None:
    first = save(rows({0: (1, 1)}), tmp_path / "first.parquet")
    second = save(rows({10: (1, bad)}), tmp_path / "second.parquet")
    message = r"second\.parquet: the loss of instance 'b' at step 10 is (nan|inf); the run diverged"
    with pytest.raises(InputError, match=message):
        read_runs([first, second])


def test_overlapping_segments_and_missing_instances(tmp_path: Path) -> None:
    first = save(rows({0: (1, 1), 10: (1, 1)}), tmp_path / "first.parquet")
    second = save(rows({10: (1, 1)}), tmp_path / "second.parquet")
    with pytest.raises(InputError, match=r"first\.parquet: two rows of instance 'a' at step 10"):
        read_runs([first, second])
    save(rows({20: (1,)}), second)
    with pytest.raises(InputError, match=r"first\.parquet: no loss of instance 'b' at step 20"):
        read_runs([first, second])


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({0: (1, 1)}, "step '10'"),
        ({5: (1, 1), 10: (1, 1)}, "step '0'"),
        ({0: (1,), 10: (1,)}, "instance 'b'"),
        ({0: (1, 1, 1), 10: (1, 1, 1)}, "instance 'c'"),
    ],
)
def test_runs_of_a_label_have_the_same_steps_and_instances(
    other: dict[int, tuple[float, ...]], named: str
) -> None:
    runs = {("RT", 0): run({0: (1, 1), 10: (1, 1)}), ("RT", 3): run(other)}
    with pytest.raises(
        InputError, match=rf"RT \(seed 0\) and RT \(seed 3\).* only one has {named}"
    ):
        by_label(runs)


def test_similarities_come_back_by_measure_in_their_order(tmp_path: Path) -> None:
    distances = {
        "ngram-kl": {"u": {10: 5.0, 20: 4.0}, "t": {10: 3.0, 20: 2.0}, "": {10: 4.5, 20: 3.5}},
        "cosine-min": {"u": {10: -0.1, 20: -0.2}, "t": {10: 0.3, 20: 0.1}, "": {10: 0.0, 20: 0.0}},
    }
    path = write_similarity(tables(distances), tmp_path / "s.parquet", seed=3)
    losses = save(rows({0: (1,)}), tmp_path / "l.parquet")
    results = read_similarities([losses, path])
    assert list(results) == [RunId("flan", "specialist-0", "random", 3)]
    (similarity,) = results.values()
    assert list(similarity) == ["ngram-kl", "cosine-min"]
    for measure, table in similarity.items():
        assert table.to_dict() == distances[measure]


# The run of a table --------------------------------------------------------------------------


def test_a_table_that_does_not_name_its_run(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    pq.write_table(pa.Table.from_pandas(rows({0: (1,)})), path)
    with pytest.raises(InputError, match=r"old\.parquet: the table does not say its dataset, test"):
        read_runs([path])


def test_labels_come_in_the_order_of_the_figure(tmp_path: Path) -> None:
    row = KINDS.parse(figure("arrangements", "a", "b", reference="b"))
    runs = [RunId("flan", "s-0", name, seed) for name in ("c", "b", "a") for seed in (1, 0)]
    others = [RunId("p3", "s-0", "a", 0)]
    results = results_of({run: run.seed for run in [*runs, *others]}, row)
    assert list(results) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    with pytest.raises(InputError, match="no table of 'a' on test set s-0"):
        results_of(dict.fromkeys(runs[:4], 0), row)
    both = {RunId("flan", test, name, 0): test for test in ("s-0", "s-1") for name in "ab"}
    assert results_by_test(both, row) == {
        test: {("a", 0): test, ("b", 0): test} for test in ("s-0", "s-1")
    }
    with pytest.raises(InputError, match="several test sets, s-0 and s-1"):
        results_of(both, row)
