"""Reading runs and similarities: what is refused, and in which words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from runs import rows, run, save, tables, write_similarity

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import SIMILARITY, write_table
from nearfirst.figures.run import check_instances, check_seeds, make_run
from nearfirst.figures.run_arguments import (
    FIGURE,
    TEST,
    read_groups,
    read_run,
    read_runs,
    read_similarities,
    read_similarity,
)


def test_segments_are_joined_and_sorted(tmp_path: Path) -> None:
    segments = [
        save(rows({20: (0.25, 3)}).iloc[::-1], tmp_path / "10-20.parquet", left_out=3),
        save(rows({0: (1, 1), 10: (0.5, 2)}), tmp_path / "0-10.parquet", left_out=3),
    ]
    found = read_run(segments)
    assert found.values.index.tolist() == [0, 10, 20]
    assert found.values.columns.tolist() == ["a", "b"]
    assert found.values.to_numpy().tolist() == [[1, 1], [0.5, 2], [0.25, 3]]
    assert found.task.to_dict() == {"a": "task", "b": "task"}
    assert found.label_tokens.to_dict() == {"a": 1, "b": 1}
    assert found.left_out == 3


def test_segments_that_left_out_different_numbers(tmp_path: Path) -> None:
    segments = [
        save(rows({step: (1,)}), tmp_path / f"{step}.parquet", left_out=step) for step in (0, 10)
    ]
    with pytest.raises(InputError, match=r"10\.parquet: 10 instances were left out, but 0 in"):
        read_run(segments)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_a_loss_that_is_no_number_names_its_file(tmp_path: Path, bad: float | None) -> None:
    first = save(rows({0: (1, 1)}), tmp_path / "first.parquet")
    second = save(rows({10: (1, bad)}), tmp_path / "second.parquet")
    with pytest.raises(InputError, match=r"second\.parquet: .*'b' at step 10"):
        read_run([first, second])


def test_a_step_that_stands_twice_names_its_file(tmp_path: Path) -> None:
    first = save(rows({0: (1,), 10: (1,)}), tmp_path / "first.parquet")
    second = save(rows({10: (1,)}), tmp_path / "second.parquet")
    with pytest.raises(InputError, match=r"second\.parquet: id 'a' stands twice at step 10"):
        read_run([first, second])
    with pytest.raises(InputError, match=r"first\.parquet: id 'a' stands twice at step 0"):
        read_run([first, first])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "late: a row of step 10 has no id or no task"),
        ({"task": None}, "late: a row of step 10 has no id or no task"),
        ({"label_tokens": 0}, "late: id 'b' has no label at step 10"),
        ({"label_tokens": 2}, "late: id 'b' has another label_tokens at step 10"),
        ({"task": "other"}, "late: id 'b' has another task at step 10"),
        ({"id": "c"}, "early: id 'c' has no loss at step 0, but at another step"),
    ],
)
def test_rows_that_cannot_be_used(change: dict[str, Any], message: str) -> None:
    early, late = rows({0: (1, 1)}), rows({10: (1, 1)})
    for column, value in change.items():
        late.loc[1, column] = value
    with pytest.raises(InputError, match=message):
        make_run([early, late], ["early", "late"])


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({0: (1, 1)}, "step '10'"),
        ({5: (1, 1), 10: (1, 1)}, "step '0'"),
        ({0: (1,), 10: (1,)}, "id 'b'"),
        ({0: (1, 1, 1), 10: (1, 1, 1)}, "id 'c'"),
    ],
)
def test_runs_of_a_label_have_the_same_steps_and_instances(
    other: dict[int, tuple[float, ...]], named: str
) -> None:
    runs = {("RT", 0): run({0: (1, 1), 10: (1, 1)}), ("RT", 3): run(other)}
    with pytest.raises(InputError, match=rf"\('RT', 0\) and \('RT', 3\).* only one has {named}"):
        check_seeds(runs)


def test_only_instances_must_be_the_same_across_labels() -> None:
    runs = {
        ("A", 0): run({0: (1, 1), 10: (1, 1)}),
        ("B", 0): run({0: (1, 1), 20: (1, 1)}),
    }
    check_seeds(runs)
    check_instances(runs)
    runs["C", 0] = run({0: (1,), 10: (1,)})
    check_seeds(runs)
    with pytest.raises(InputError, match=r"\('A', 0\) and \('C', 0\).* only one has id 'b'"):
        check_instances(runs)


def test_runs_of_a_label_that_left_out_different_numbers() -> None:
    frame = rows({0: (1,)})
    runs = {("RT", seed): make_run([frame], ["run"], left_out=seed) for seed in (0, 1)}
    with pytest.raises(InputError, match="left out 0 and 1 test instances"):
        check_seeds(runs)


# The command line ----------------------------------------------------------------------------


def test_runs_are_grouped_by_what_the_command_line_says(tmp_path: Path) -> None:
    path = str(save(rows({0: (1,)}), tmp_path / "run.parquet", left_out=2))
    assert list(read_runs([["RT", "3", path], ["NFT", "0", path]])) == [("RT", 3), ("NFT", 0)]
    by_test = read_groups([["RT", "3", "s-1", path], ["RT", "3", "s-0", path]], TEST)
    assert {test: list(runs) for test, runs in by_test.items()} == {
        "s-1": [("RT", 3)],
        "s-0": [("RT", 3)],
    }
    by_figure = read_groups([["fig4", "RT", "3", path], ["fig4", "RT", "4", path]], FIGURE)
    assert list(by_figure["fig4"]) == [("RT", 3), ("RT", 4)]
    assert by_figure["fig4"]["RT", 4].left_out == 2
    similar = str(write_similarity(FOUND, tmp_path / "s.parquet"))
    assert list(read_similarities([["RT", "3", "s-1", similar]])["s-1"]["RT", 3]) == list(FOUND)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["RT", "0", "s-0"], "--run RT: expected LABEL SEED TEST FILE"),
        (["RT"], "--run RT: expected LABEL SEED TEST FILE"),
        (["RT", "s-0", "0", "run.parquet"], "--run RT: expected LABEL SEED TEST FILE"),
        (["RT", "0", "early.parquet", "late.parquet"], "--run RT: expected LABEL SEED TEST FILE"),
    ],
)
def test_a_run_that_is_named_wrongly(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_groups([words], TEST)


def test_a_run_is_named_once_on_each_test_set(tmp_path: Path) -> None:
    path = str(save(rows({0: (1,)}), tmp_path / "run.parquet"))
    with pytest.raises(InputError, match="--run RT 0 s-0 is given twice"):
        read_groups([["RT", "0", "s-0", path]] * 2, TEST)


# Similarity ----------------------------------------------------------------------------------

FOUND = tables(
    {
        "ngram-kl": {"u": {10: 5.0, 20: 4.0}, "t": {10: 3.0, 20: 2.0}, "": {10: 4.5, 20: 3.5}},
        "cosine-min": {"u": {10: -0.1, 20: -0.2}, "t": {10: 0.3, 20: 0.1}, "": {10: 0.0, 20: 0.0}},
    }
)


def test_a_similarity_table_comes_back_by_measure_in_its_order(tmp_path: Path) -> None:
    found = read_similarity(write_similarity(FOUND, tmp_path / "s.parquet"))
    assert list(found) == ["ngram-kl", "cosine-min"]
    for measure, table in found.items():
        pd.testing.assert_frame_equal(
            table, FOUND[measure], check_names=False, check_index_type=False
        )


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda f: f.assign(distance=f["distance"].where(f["distance"] != 2, None)),
            "holds no finite",
        ),
        (lambda f: f.assign(distance=f["distance"].replace(2.0, float("inf"))), "holds no finite"),
        (lambda f: pd.concat([f, f[f["distance"] == 2]]), "stands twice"),
        (lambda f: f[f["distance"] != 2], "is missing"),
        (lambda f: f[(f["task"] != "t") | (f["measure"] != "ngram-kl")], "is missing"),
    ],
)
def test_similarities_that_cannot_be_used(
    tmp_path: Path, edit: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    path = write_similarity(FOUND, tmp_path / "s.parquet")
    frame = edit(pd.read_parquet(path))
    write_table(pa.Table.from_pandas(frame, schema=SIMILARITY, preserve_index=False), path)
    wanted = rf"s\.parquet: ngram-kl of task 't' at step \d0 {message}"
    with pytest.raises(InputError, match=wanted):
        read_similarity(path)
