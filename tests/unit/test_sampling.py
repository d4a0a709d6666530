"""Exchanges, the split by tasks, the sample of each task, and the program that does all three."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.data.conversation import Instance, Message, exchanges
from nearfirst.data.sampling import read_key_list, sample_rows, split_tasks, take_inventory
from nearfirst.errors import InputError

Program = Callable[..., subprocess.CompletedProcess[str]]
Turns = list[tuple[str, str]]

NAMES = st.lists(st.text(min_size=1, max_size=3), min_size=2, max_size=20, unique=True)


@pytest.mark.parametrize(
    ("turns", "kept"),
    [
        ([], []),
        ([("user", "q"), ("assistant", "a")], [0, 1]),
        ([("assistant", "a"), ("user", "q")], []),
        ([("user", "q"), ("user", "r"), ("assistant", "a")], [1, 2]),
        ([("user", "q"), ("assistant", "a"), ("assistant", "b")], [0, 1]),
        ([("user", "q"), ("assistant", " \n"), ("user", "r"), ("assistant", "b")], [2, 3]),
        ([("user", ""), ("assistant", "a"), ("user", "r"), ("assistant", "b")], [2, 3]),
        ([("user", "q"), ("assistant", "a"), ("user", "r"), ("assistant", "b")], [0, 1, 2, 3]),
    ],
)
def test_exchanges_keeps_pairs(turns: Turns, kept: list[int]) -> None:
    messages, dropped = exchanges(turns)
    assert [(m["role"], m["content"]) for m in messages] == [turns[i] for i in kept]
    assert dropped == len(turns) - len(kept)


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.sampled_from(["", " ", "x"]))))
def test_exchanges_are_always_questions_with_answers(turns: Turns) -> None:
    messages, dropped = exchanges(turns)
    assert [m["role"] for m in messages] == ["user", "assistant"] * (len(messages) // 2)
    assert all(m["content"].strip() for m in messages)
    assert len(messages) + dropped == len(turns)


def instance(task: str, *, usable: bool = True, dropped: int = 0, where: str = "") -> Instance:
    messages = [Message(role="user", content="q"), Message(role="assistant", content="a")]
    return Instance("the-id", task, messages if usable else [], dropped, where)


def test_inventory_lists_rows_by_task_and_counts_the_rest() -> None:
    instances = [
        *(instance("b"), instance("a", dropped=2), instance("b", usable=False, dropped=9)),
        *(instance("b", dropped=1), instance("c", usable=False)),
    ]
    found = take_inventory(instances, skip_unusable=True)
    assert found.rows == {"b": [0, 3], "a": [1]}
    assert (found.total, found.unusable, found.dropped_turns) == (5, 2, 3)


def test_inventory_names_the_row_that_has_no_answer() -> None:
    instances = [instance("a"), instance("a", usable=False, where="data.json: row 2")]
    with pytest.raises(InputError, match=r"data\.json: row 2 \(id 'the-id'\).*assistant"):
        take_inventory(instances, skip_unusable=False)


@given(NAMES, st.integers(0, 5), st.data())
def test_split_is_complete_disjoint_and_blind_to_order(
    names: list[str], seed: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(names) - 1))
    train, unseen = split_tasks(names, count, seed)
    assert len(unseen) == count
    assert sorted([*train, *unseen]) == sorted(names)
    assert (train, unseen) == (sorted(train), sorted(unseen))
    assert split_tasks(data.draw(st.permutations(names)), count, seed) == (train, unseen)


def test_split_by_share_by_seed_and_past_the_end() -> None:
    names = [f"task-{i}" for i in range(40)]
    assert len(split_tasks(names, 0.15, 0)[1]) == 6
    assert len(split_tasks(names, 0.001, 0)[1]) == 1
    assert len({tuple(split_tasks(names, 6, seed)[1]) for seed in range(10)}) == 10
    for count in (40, 41, 0.999):
        with pytest.raises(InputError, match="at most 39"):
            split_tasks(names, count, 0)


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1),
    st.integers(1, 6),
    st.integers(0, 3),
)
def test_a_sample_takes_at_most_n_of_each_task_and_depends_on_that_task_alone(
    sizes: dict[str, int], most: int, seed: int
) -> None:
    starts = {task: 100 * i for i, task in enumerate(sorted(sizes))}
    rows = {task: list(range(starts[task], starts[task] + n)) for task, n in sizes.items()}
    chosen = sample_rows(rows, list(rows), most, seed)
    for task, have in rows.items():
        assert len(chosen & set(have)) == min(most, len(have))
        assert sample_rows({task: have}, [task], most, seed) == chosen & set(have)
    assert sample_rows(rows, list(reversed(list(rows))), most, seed) == chosen


def test_a_sample_depends_on_its_seed() -> None:
    rows = {"a": list(range(100))}
    assert len({tuple(sorted(sample_rows(rows, ["a"], 5, seed))) for seed in range(10)}) == 10


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"train_key_list": ["a"], "eval_key_list": ["b", "nowhere"]}, "'nowhere'"),
        ({"train_key_list": ["x", "y"], "eval_key_list": ["b"]}, "'x' and 1 more"),
        ({"train_key_list": ["a", "b"], "eval_key_list": ["b"]}, "'b' is listed twice"),
        ({"train_key_list": ["a", "a"], "eval_key_list": ["b"]}, "'a' is listed twice"),
        ({"train_key_list": ["a"]}, "eval_key_list"),
        ({"train_key_list": ["a"], "eval_key_list": None}, "eval_key_list"),
        ({"train_key_list": [["a"]], "eval_key_list": ["b"]}, "train_key_list"),
        ({"train_key_list": "ab", "eval_key_list": ["c"]}, "train_key_list"),
        ({"train_key_list": ["a"], "eval_key_list": []}, "at least one"),
        (["a", "b"], "train_key_list"),
        ("{", "train_key_list"),
        ("", "train_key_list"),
        (None, "no such"),
    ],
)
def test_key_lists_that_cannot_be_used(tmp_path: Path, content: object, named: str) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_key_list(path, ["a", "b", "c"])
    assert str(caught.value).startswith(f"{path}: ")
    assert named in str(caught.value)


def test_key_list_keeps_its_order_and_may_leave_tasks_out(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    content = {"train_key_list": ["ü", "a"], "eval_key_list": ["b"], "note": "from the paper"}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert read_key_list(path, ["a", "b", "c", "ü"]) == (["ü", "a"], ["b"])


def corpus(path: Path, tasks: int = 6, per_task: int = 5) -> Path:
    """Write additions, one task for each first number."""
    rows = [
        {
            "id": f"{task}-{i}",
            "source": f"task-{task}",
            "conversations": [
                {"from": "human", "value": f"What is {task} plus {i}?"},
                {"from": "gpt", "value": str(task + i)},
            ],
        }
        for i in range(per_task)
        for task in range(tasks)
    ]
    path.write_text(json.dumps(rows))
    return path


def sampled(folder: Path, split: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{split}.parquet")


def arguments(folder: Path, data: Path, *more: object) -> list[object]:
    train, test = folder / "train.parquet", folder / "test.parquet"
    return ["sample.py", "--input", data, "--train", train, "--test", test, *more]


SETTINGS = '{"unseen_tasks": 2, "train_per_task": 3, "test_per_task": 9}'


def test_the_program_writes_tables_of_the_agreed_columns(program: Program, tmp_path: Path) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    done = program(*arguments(tmp_path, data, "--settings", SETTINGS))
    assert done.returncode == 0, done.stderr
    schema = pa.schema(
        {
            "id": pa.string(),
            "task": pa.string(),
            "messages": pa.list_(pa.struct({"role": pa.string(), "content": pa.string()})),
            "references": pa.list_(pa.string()),
        }
    )
    for split in ("train", "test"):
        assert pq.read_schema(tmp_path / f"{split}.parquet").equals(schema)
    train, test = sampled(tmp_path, "train"), sampled(tmp_path, "test")
    assert train.groupby("task").size().tolist() == [3] * 4
    assert test.groupby("task").size().tolist() == [5] * 2
    assert not set(train["task"]) & set(test["task"])
    for _, row in pd.concat([train, test]).iterrows():
        task, i = map(int, row["id"].split("-"))
        assert row["task"] == f"task-{task}"
        assert list(row["messages"]) == [
            {"role": "user", "content": f"What is {task} plus {i}?"},
            {"role": "assistant", "content": str(task + i)},
        ]
        assert list(row["references"]) == [str(task + i)]


def test_the_program_takes_a_key_list_and_gives_the_same_bytes_again(
    program: Program, tmp_path: Path
) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    keys = tmp_path / "keys.json"
    keys.write_text('{"train_key_list": ["task-5", "task-0"], "eval_key_list": ["task-3"]}')
    written = []
    for name in ("one", "two"):
        done = program(*arguments(tmp_path / name, data, "--key-list", keys))
        assert done.returncode == 0, done.stderr
        written.append([(tmp_path / name / f"{s}.parquet").read_bytes() for s in ("train", "test")])
    assert written[0] == written[1]
    assert set(sampled(tmp_path / "one", "train")["task"]) == {"task-0", "task-5"}
    assert set(sampled(tmp_path / "one", "test")["task"]) == {"task-3"}


def unanswered(data: Path) -> None:
    rows = json.loads(data.read_text())
    rows[2]["conversations"].pop()
    data.write_text(json.dumps(rows))


def test_the_program_skips_and_counts_unusable_rows_if_asked(
    program: Program, tmp_path: Path
) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    unanswered(data)
    settings = '{"unseen_tasks": 1, "unusable": "skip"}'
    done = program(*arguments(tmp_path, data, "--settings", settings))
    assert done.returncode == 0, done.stderr
    assert "1 rows without a usable exchange" in done.stderr
    ids = pd.concat([sampled(tmp_path, "train"), sampled(tmp_path, "test")])["id"]
    assert "2-0" not in set(ids)


def cut(data: Path) -> None:
    data.write_bytes(data.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("spoil", "more", "named"),
    [
        (Path.unlink, [], "flan_mini.json: no such file"),
        (cut, [], "flan_mini.json: cut off or damaged after row 29"),
        (unanswered, [], "flan_mini.json: row 3 (id '2-0')"),
        (None, ["--settings", '{"unseen_tasks": 6}'], "unseen_tasks: 6 of 6 tasks"),
        (None, ["--key-list", "/nowhere.json"], "/nowhere.json: no such key-list file"),
    ],
)
def test_the_program_fails_with_one_line_and_writes_nothing(
    program: Program,
    tmp_path: Path,
    spoil: Callable[[Path], None] | None,
    more: list[str],
    named: str,
) -> None:
    data = corpus(tmp_path / "flan_mini.json")
    if spoil:
        spoil(data)
    out = tmp_path / "out"
    done = program(*arguments(out, data, *more))
    assert done.returncode == 1
    errors = [line for line in done.stderr.split("\n") if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert named in errors[0]
    assert not out.exists() or not list(out.iterdir())
