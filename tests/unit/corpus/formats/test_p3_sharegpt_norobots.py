"""P3, ShareGPT and NoRobots as generated: their published forms, and the truth of all answers."""

import csv
import hashlib
import json
import re
import string
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus_answers import fields_of, number, numbers_in

from nearfirst.corpus.corpus import all_tasks
from nearfirst.corpus.formats.p3 import prompt_name
from nearfirst.data.formats import registry

TASKS = {task.name: task for task in all_tasks()}
UNSEEN = {name for name, task in TASKS.items() if task.role != "train"}
# Base-class data sets of P3: folder to task.
PROMPTS = {
    f"{name}_{prompt_name(phrasing)}": name
    for name, task in TASKS.items()
    for phrasing in task.phrasings
}
UNLISTED = "list_how_long_is_this"
Pairs = list[tuple[str, str]]

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def written(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all data sets, each in the folder of its form."""
    folder = tmp_path_factory.mktemp("written")
    for form in ("flan", "niv2", "p3", "sharegpt", "norobots"):
        done = program("generate_corpus.py", "--form", form, "--output", folder / form)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def prompted(written: Path) -> dict[str, dict[str, Pairs]]:
    """Inputs and targets of P3, by folder and split."""
    found: dict[str, dict[str, Pairs]] = {}
    for path in sorted((written / "p3").glob("*/*")):
        assert re.fullmatch(r"(train|validation|test)-00000-of-00001\.parquet", path.name)
        table = pq.read_table(path)
        columns = ["inputs_pretokenized", "targets_pretokenized"]
        assert table.schema == pa.schema([(name, pa.string()) for name in columns])
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        found.setdefault(path.parent.name, {})[path.name.split("-")[0]] = rows
    return found


@pytest.fixture(scope="module")
def shared(written: Path) -> list[Pairs]:
    """The exchanges of ShareGPT, by conversation."""
    (path,) = (written / "sharegpt").iterdir()
    assert path.name == "sharegpt_gpt4.json"
    found = []
    for row in json.loads(path.read_text()):
        assert list(row) == ["items"]
        assert all(list(turn) == ["from", "value"] for turn in row["items"])
        assert {turn["from"] for turn in row["items"][::2]} == {"human"}
        assert {turn["from"] for turn in row["items"][1::2]} == {"gpt"}
        values = [turn["value"] for turn in row["items"]]
        found.append(list(zip(values[::2], values[1::2], strict=True)))
    return found


@pytest.fixture(scope="module")
def human(written: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of NoRobots, by split."""
    turn = pa.struct([("content", pa.string()), ("role", pa.string())])
    kinds = {"prompt": pa.string(), "prompt_id": pa.string(), "messages": pa.list_(turn)}
    found = {}
    for path in sorted((written / "norobots/data").iterdir()):
        table = pq.read_table(path)
        assert table.schema == pa.schema([*kinds.items(), ("category", pa.string())])
        found[path.name] = table.to_pylist()
    assert list(found) == [f"{split}-00000-of-00001.parquet" for split in ("test", "train")]
    return {name.split("-")[0]: rows for name, rows in found.items()}


# ---- P3 ----


def test_p3_has_a_folder_for_each_prompt_of_a_task(prompted: dict[str, dict[str, Pairs]]) -> None:
    assert prompted.keys() == {*PROMPTS, UNLISTED}
    assert len(PROMPTS) == sum(len(task.phrasings) for task in TASKS.values())
    for folder, name in PROMPTS.items():
        needed = {"train": "train", "near": "validation", "far": "validation"}[TASKS[name].role]
        assert len(prompted[folder][needed]) >= 8, folder
        assert ("train" in prompted[folder]) == (TASKS[name].role != "far")
    texts = [text for splits in prompted.values() for rows in splits.values() for text, _ in rows]
    assert len(set(texts)) == len(texts)
    per_task = Counter(
        name for folder, name in PROMPTS.items() for rows in prompted[folder].values() for _ in rows
    )
    assert all(60 <= per_task[name] < 60 + len(TASKS[name].phrasings) for name in TASKS)
    for splits in prompted.values():
        for text in (text for rows in splits.values() for row in rows for text in row):
            assert re.match(r" \S", text)
            assert text[1:] == text.strip()


def test_p3_names_its_data_sets_as_t0_does(
    written: Path, prompted: dict[str, dict[str, Pairs]]
) -> None:
    with (written / "p3/datasets.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert ",".join(header) == "HF_name,subset,task_by_convention,do_train,do_eval,train_size"
    named = {"_".join(filter(None, row[:2])): row for row in rows}
    assert named.keys() == {*TASKS, "list"}
    assert {name for name, row in named.items() if row[3] == "BASE"} == TASKS.keys() - UNSEEN
    assert {name for name, row in named.items() if row[4] == "BASE"} == UNSEEN
    assert "BASE" not in named["list"]
    # A data set with subsets, one of them unseen, and one whose name begins the names of others.
    assert named["arithmetic_story_loss"][:2] == ["arithmetic", "story_loss"]
    assert named["list_first_item"][:2] == ["list", "first_item"]
    assert named["antonym_adjective"][:2] == ["antonym_adjective", ""]
    for name, row in named.items():
        folders = (
            [UNLISTED] if name == "list" else [f for f, task in PROMPTS.items() if task == name]
        )
        train = sum(len(prompted[folder].get("train", [])) for folder in folders)
        assert row[5] == (str(train) if train else "")


def test_the_loader_reads_p3(written: Path, prompted: dict[str, dict[str, Pairs]]) -> None:
    read = list(registry.read(registry.settings_class("p3")(), written / "p3"))
    parts = {instance.task: instance.part for instance in read}
    assert parts == {f: "unseen" if name in UNSEEN else "train" for f, name in PROMPTS.items()}
    assert {i.source for i in read if "arithmetic" in i.task} == {"arithmetic"}
    found = [(i.task, *(f" {message['content']}" for message in i.messages)) for i in read]
    assert found == [
        (folder, *row)
        for folder in sorted(PROMPTS)
        for row in prompted[folder]["validation" if PROMPTS[folder] in UNSEEN else "train"]
    ]


# ---- the dialogues ----


def patterns() -> dict[str, list[re.Pattern[str]]]:
    """What the questions of each family look like."""
    found: dict[str, list[re.Pattern[str]]] = {}
    for task in TASKS.values():
        for phrasing in task.phrasings:
            pattern = "".join(
                re.escape(literal) + (".+" if field else "")
                for literal, field, _, _ in string.Formatter().parse(phrasing)
            )
            found.setdefault(task.family, []).append(re.compile(pattern, re.DOTALL))
    return found


PATTERNS = patterns()


def families_of(question: str) -> set[str]:
    """None for small talk."""
    return {f for f, known in PATTERNS.items() if any(p.fullmatch(question) for p in known)}


def test_conversations_of_sharegpt_are_distinct_and_keep_to_a_skill(shared: list[Pairs]) -> None:
    assert len(shared) == 900
    assert len({conversation[0][0] for conversation in shared}) == 900
    lengths = Counter(len(conversation) for conversation in shared)
    assert lengths.keys() == {1, 2, 3, 4}
    assert min(lengths.values()) > 150
    talk, seen = Counter(), set()
    for conversation in shared:
        assert len({question for question, _ in conversation}) == len(conversation)
        families = [families_of(question) for question, _ in conversation]
        talk[sum(not found for found in families)] += 1
        common = set.intersection(*filter(None, families))
        assert common, conversation
        seen |= common
    assert talk.keys() == {0, 1}
    assert 100 < talk[1] < 300
    assert seen == {task.family for task in TASKS.values()}


CATEGORIES = {"Generation", "Open QA", "Chat", "Rewrite", "Classify", "Closed QA", "Extract"}


def test_rows_of_norobots_are_distinct_and_of_its_categories(
    human: dict[str, list[dict[str, Any]]],
) -> None:
    assert {split: len(rows) for split, rows in human.items()} == {"test": 45, "train": 855}
    rows = human["train"] + human["test"]
    assert len({row["prompt"] for row in rows}) == 900
    counts = Counter(row["category"] for row in rows)
    assert counts.keys() == CATEGORIES
    assert min(counts.values()) > 80
    first = Counter()
    for row in rows:
        assert row["prompt_id"] == hashlib.sha256(row["prompt"].encode()).hexdigest()
        roles = [message["role"] for message in row["messages"]]
        if row["category"] == "Chat":
            first[roles[0]] += 1
        start = 1 if roles[0] == "system" and row["category"] == "Chat" else 0
        assert roles[start:] == ["user", "assistant"] * (len(roles) // 2)
        assert row["messages"][start]["content"] == row["prompt"]
        assert (len(roles) > 3) == (row["category"] == "Chat")
    assert min(first["system"], first["user"]) > 20


def test_the_loaders_read_the_dialogues(
    written: Path, shared: list[Pairs], human: dict[str, list[dict[str, Any]]]
) -> None:
    read = list(registry.read(registry.settings_class("sharegpt")(), written / "sharegpt"))
    turns = [[message["content"] for message in instance.messages] for instance in read]
    assert turns == [
        [turn for exchange in conversation for turn in exchange] for conversation in shared
    ]
    assert {(i.task, i.dropped, i.part) for i in read} == {("sharegpt", 0, None)}
    read = list(registry.read(registry.settings_class("norobots")(), written / "norobots"))
    rows = human["test"] + human["train"]
    assert [(i.id, i.task) for i in read] == [(row["prompt_id"], row["category"]) for row in rows]
    assert all(i.dropped == 0 and i.messages for i in read)


# ---- answers ----


def test_a_question_has_the_same_answer_wherever_it_is_asked(
    written: Path,
    prompted: dict[str, dict[str, Pairs]],
    shared: list[Pairs],
    human: dict[str, list[dict[str, Any]]],
) -> None:
    flan = json.loads((written / "flan/flan_mini.json").read_text())
    asked: dict[str, Pairs] = {
        "flan": [(h["value"], g["value"]) for h, g in (row["conversations"] for row in flan)],
        "p3": [
            (text.strip(), answer.strip())
            for splits in prompted.values()
            for rows in splits.values()
            for text, answer in rows
        ],
        "sharegpt": [exchange for conversation in shared for exchange in conversation],
        "norobots": [
            (question["content"], answer["content"])
            for row in human["train"] + human["test"]
            for question, answer in zip(row["messages"], row["messages"][1:], strict=False)
            if answer["role"] == "assistant"
        ],
    }
    told: dict[str, set[str]] = {}
    where: dict[str, set[str]] = {}
    for form, pairs in asked.items():
        for question, answer in pairs:
            if families_of(question):
                told.setdefault(question, set()).add(answer)
                where.setdefault(question, set()).add(form)
    assert [(q, answers) for q, answers in told.items() if len(answers) > 1] == []
    for form in asked:
        assert sum(len(found) > 1 for found in where.values() if form in found) > 100, form
    # But each form draws instances of its own.
    assert all(sum(found == {form} for found in where.values()) > 200 for form in asked)


@pytest.mark.parametrize(
    ("name", "compute"),
    [
        ("arithmetic_addition", lambda a, b: a + b),
        ("arithmetic_subtraction", lambda a, b: a - b),
        ("arithmetic_doubling", lambda a: 2 * a),
        ("compare_numbers", max),
    ],
)
def test_numbers_of_p3(name: str, compute: Any, prompted: dict[str, dict[str, Pairs]]) -> None:
    folders = [prompted[folder] for folder, task in PROMPTS.items() if task == name]
    for text, answer in (row for splits in folders for rows in splits.values() for row in rows):
        fields = fields_of(name, text.strip())
        given = [number(fields[key]) for key in ("a", "b") if key in fields]
        assert numbers_in(answer) == [compute(*given)], text
