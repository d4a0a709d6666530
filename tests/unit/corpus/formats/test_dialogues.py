"""ShareGPT and NoRobots as generated, and the answers of all forms beside each other."""

import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from corpus_answers import TASKS, families_of

from nearfirst.corpus.formats.norobots import FAMILIES
from nearfirst.data import registry


def test_conversations_of_sharegpt_are_distinct_and_keep_to_a_skill(written: Path) -> None:
    rows = json.loads((written / "sharegpt/sharegpt_gpt4.json").read_text())
    assert len({row["items"][0]["value"] for row in rows}) == len(rows) == 900
    lengths, talk, seen = Counter[int](), Counter[int](), set()
    for row in rows:
        assert list(row) == ["items"]
        turns, length = row["items"], len(row["items"]) // 2
        assert [list(turn) for turn in turns] == [["from", "value"]] * 2 * length
        assert [turn["from"] for turn in turns] == ["human", "gpt"] * length
        questions = {turn["value"] for turn in turns[::2]}
        assert len(questions) == length
        families = [families_of(question) for question in questions]
        common = set.intersection(*filter(None, families))
        assert common, turns
        lengths[length] += 1
        talk[sum(not found for found in families)] += 1
        seen |= common
    assert lengths.keys() == {1, 2, 3, 4}
    assert min(lengths.values()) > 150
    assert talk.keys() == {0, 1}
    assert 100 < talk[1] < 300
    assert seen == {task.family for task in TASKS.values()}


def test_rows_of_norobots_are_distinct_and_of_its_categories(written: Path) -> None:
    turn = pa.struct([("content", pa.string()), ("role", pa.string())])
    kinds = {"prompt": pa.string(), "prompt_id": pa.string(), "messages": pa.list_(turn)}
    rows, sizes = [], {}
    for path in sorted((written / "norobots/data").iterdir()):
        table = pq.read_table(path)
        assert table.schema == pa.schema([*kinds.items(), ("category", pa.string())])
        rows += table.to_pylist()
        sizes[path.name] = len(table)
    assert sizes == {"test-00000-of-00001.parquet": 45, "train-00000-of-00001.parquet": 855}
    assert len({row["prompt"] for row in rows}) == 900
    counts = Counter(row["category"] for row in rows)
    assert counts.keys() == {*FAMILIES, "Chat"}
    assert min(counts.values()) > 80
    first = Counter[str]()
    for row in rows:
        assert row["prompt_id"] == hashlib.sha256(row["prompt"].encode()).hexdigest()
        chat, roles = row["category"] == "Chat", [turn["role"] for turn in row["messages"]]
        first[roles[0]] += chat
        start = int(chat and roles[0] == "system")
        assert roles[start:] == ["user", "assistant"] * (len(roles) // 2)
        assert row["messages"][start]["content"] == row["prompt"]
        assert (len(roles) > 3) == chat
    assert min(first["system"], first["user"]) > 20


def test_a_question_has_the_same_answer_wherever_it_is_asked(written: Path) -> None:
    forms = ("flan", "p3", "sharegpt", "norobots")
    told, where = defaultdict(set), defaultdict(set)
    for form in forms:
        for instance in registry.read(registry.FORMATS.settings(form)(), written / form):
            assert instance.dropped == 0
            turns = [message["content"] for message in instance.messages]
            for question, answer in zip(turns[::2], turns[1::2], strict=True):
                if families_of(question):
                    told[question].add(answer)
                    where[question].add(form)
    assert [(q, answers) for q, answers in told.items() if len(answers) > 1] == []
    for form in forms:
        assert sum(len(found) > 1 for found in where.values() if form in found) > 100, form
        assert sum(found == {form} for found in where.values()) > 200, form
