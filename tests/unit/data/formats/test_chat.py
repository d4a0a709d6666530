"""The user's own data: test sets, queries and folders."""

import json
from pathlib import Path

import pytest
from conversations import texts
from own_files import SETTINGS, TALK, array, lines, parquet, refused

from nearfirst.common.errors import InputError
from nearfirst.data.formats import chat
from nearfirst.data.sample import sample


def test_a_test_file_may_lack_the_task_column(tmp_path: Path) -> None:
    path = lines(tmp_path / "test.jsonl", {"messages": TALK})
    (instance,) = chat.read(chat.Settings(path="pool", task_column="kind"), path, "test")
    assert (instance.id, instance.task) == ("mine_test_1", "mine")


def test_queries_are_a_separate_split_beside_any_test_set(tmp_path: Path) -> None:
    rows = [{"prompt": f"{i}?", "completion": "Là.", "kind": f"k{i % 3}"} for i in range(9)]
    pool, queries = lines(tmp_path / "p.jsonl", *rows), lines(tmp_path / "q.jsonl", rows[0])
    settings = chat.Settings(path=str(pool), query_path=str(queries), task_column="kind")
    assert (settings.test, settings.arranged_for) == ("specialist-0", "query")
    (instance,) = sample(settings, pool, "query", test_path=queries)
    assert (instance.id, instance.task) == ("mine_query_1", "k0")
    with pytest.raises(InputError, match="--split query: only a query set"):
        list(sample(settings, pool, "query"))
    with pytest.raises(InputError, match=r"--split heldout: expected train\|specialist-SEED\|gen"):
        list(sample(settings, pool, "heldout"))


@pytest.mark.parametrize(
    ("pool", "test"), [("data", "data/sub/test.jsonl"), ("link", "data/sub"), ("data/p", "link")]
)
def test_a_set_inside_the_folder_of_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: str, test: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("data")
    with pytest.raises(ValueError, match="is part of the folder"):
        chat.Settings(path=pool, test_path=test)


def test_only_the_recorded_files_of_a_fetched_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    parquet(tmp_path / "data/b.parquet", {"prompt": "1", "completion": "a"})
    array(tmp_path / "data/c.json", {"prompt": "2", "completion": "a"})
    names = ["data/c.json", "README.md", "data/b.parquet"]
    (tmp_path / "fetched.json").write_text(json.dumps({"files": {name: {} for name in names}}))
    assert [texts(instance)[0][1] for instance in chat.read(SETTINGS, tmp_path)] == ["1", "2"]
    (tmp_path / "fetched.json").write_text(json.dumps({"files": {"a.csv": {}}}))
    assert refused(tmp_path).endswith("; found a.csv")
