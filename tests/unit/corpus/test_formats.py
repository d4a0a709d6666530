"""The published formats as generated, read by the project's readers."""

import csv
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from nearfirst.corpus.formats import p3 as p3_form
from nearfirst.corpus.formats.norobots import FAMILIES
from nearfirst.corpus.tasks import all_tasks, listed_tasks
from nearfirst.data import registry
from nearfirst.data.formats import niv2

TASKS = {task.name: task for task in all_tasks()}
UNSEEN = {task.name for task in listed_tasks() if task.role != "train"}
UNLISTED = {task.name for task in all_tasks() if task.role == "unlisted"}
FORMS = ("flan", "p3", "sharegpt", "norobots")


def read(form: str, folder: Path) -> list:
    return list(registry.read(registry.FORMATS.settings(form)(), folder / form))


def niv2_tasks(folder: Path) -> dict:
    files = sorted((folder / "niv2/tasks").iterdir())
    return {path.stem.split("_", 1)[1]: json.loads(path.read_text()) for path in files}


def test_flan_mini_has_all_listed_tasks_mixed(written: Path) -> None:
    mixture = read("flan", written)
    counts = Counter(instance.task for instance in mixture)
    assert counts == dict.fromkeys(TASKS.keys() - UNLISTED, 60)
    keys = json.loads((written / "flan/split.json").read_text())
    assert set(keys["eval_key_list"]) == UNSEEN
    assert set(keys["train_key_list"]) == TASKS.keys() - UNSEEN - UNLISTED
    assert len({instance.task for instance in mixture[:20]}) > 10
    assert len({instance.messages[0]["content"] for instance in mixture}) == len(mixture)


def test_niv2_is_read_with_its_parts_references_and_prompts(written: Path, tmp_path: Path) -> None:
    Tokenizer(WordLevel({"?": 0}, unk_token="?")).save(str(tmp_path / "tokenizer.json"))
    instances = list(niv2.read(niv2.Settings(), written / "niv2", tmp_path))
    assert niv2_tasks(written).keys() == TASKS.keys()
    parts = {instance.task.split("_", 1)[1]: instance.part for instance in instances}
    assert parts == {name: "unseen" if name in UNSEEN else "train" for name in parts}
    assert parts.keys() == TASKS.keys() - UNLISTED
    counts = Counter(instance.task.split("_", 1)[1] for instance in instances)
    # Enough to train 24 instances of a task, and to test three under several seeds.
    assert min(counts[name] for name in TASKS.keys() - UNSEEN - UNLISTED - {"double"}) >= 16
    for instance in instances:
        name = instance.task.split("_", 1)[1]
        assert len(instance.references) == (2 if name.endswith("_sentence") else 1)
        assert instance.references[0] == instance.messages[1]["content"]
        assert TASKS[name].niv2[0] in instance.expand()


def test_niv2_has_one_answer_to_an_input_and_no_example_among_its_instances(written: Path) -> None:
    for name, content in niv2_tasks(written).items():
        is_old = isinstance(content["Definition"], str)
        assert is_old == (TASKS[name].family == "double")
        assert all(("id" in row) != is_old for row in content["Instances"])
        rows = content["Positive Examples"] + content["Instances"]
        assert len(content["Positive Examples"]) == 5
        assert len({row["input"] for row in rows}) == len(rows), name


def test_p3_has_a_folder_for_each_prompt_and_leaves_the_unlisted_out(written: Path) -> None:
    instances = read("p3", written)
    prompts = {
        f"{'_'.join(filter(None, p3_form.data_set(task)))}_{p3_form.prompt_name(prompt)}": task
        for task in listed_tasks()
        for prompt in task.prompts
    }
    assert len(prompts) == sum(len(task.prompts) for task in listed_tasks())
    assert {instance.task: instance.part for instance in instances} == {
        folder: "unseen" if task.name in UNSEEN else "train" for folder, task in prompts.items()
    }
    far = {folder for folder, task in prompts.items() if task.role == "far"}
    assert not [path for path in written.glob("p3/*/train-*") if path.parent.name in far]
    with (written / "p3/datasets.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_name = {"_".join(filter(None, (row["HF_name"], row["subset"]))): row for row in rows}
    assert {name for name, row in by_name.items() if row["do_eval"] == "BASE"} == UNSEEN
    assert (by_name["list"]["do_train"], by_name["list"]["do_eval"]) == ("", "")
    assert all(turn["content"] for instance in instances for turn in instance.messages[:2])


def test_conversations_of_sharegpt_keep_to_a_family(written: Path) -> None:
    rows = json.loads((written / "sharegpt/sharegpt_gpt4.json").read_text())
    assert len({row["items"][0]["value"] for row in rows}) == len(rows) == 900
    lengths = Counter(len(row["items"]) // 2 for row in rows)
    assert lengths.keys() == {1, 2, 3, 4}
    assert min(lengths.values()) > 150
    assert len(read("sharegpt", written)) == 900


def test_rows_of_norobots_are_of_its_categories(written: Path) -> None:
    paths = sorted((written / "norobots/data").iterdir())
    assert [path.name.split("-")[0] for path in paths] == ["test", "train"]
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    assert len({row["prompt"] for row in rows}) == len(rows) == 900
    counts = Counter(row["category"] for row in rows)
    assert counts.keys() == {*FAMILIES, "Chat"}
    assert min(counts.values()) > 60
    families = [family for families in FAMILIES.values() for family in families]
    assert sorted(families) == sorted({task.family for task in listed_tasks()})
    for row in rows:
        roles = [turn["role"] for turn in row["messages"]]
        system = roles[0] == "system"
        assert roles[system:] == ["user", "assistant"] * (len(roles) // 2)
        assert row["messages"][system]["content"] == row["prompt"]
        assert (len(roles) > 3) == (row["category"] == "Chat")


def test_a_question_has_the_same_answer_wherever_it_is_asked(written: Path) -> None:
    patterns = [
        re.compile(re.sub(r"\\\{\w+\\\}", r"(.+?)", re.escape(phrasing)))
        for task in listed_tasks()
        for phrasing in task.phrasings
    ]
    answers, forms = defaultdict(set), defaultdict(set)
    for form in FORMS:
        for instance in read(form, written):
            assert instance.dropped == 0
            turns = [m["content"] for m in instance.messages if m["role"] != "system"]
            for question, answer in zip(turns[::2], turns[1::2], strict=True):
                answers[question].add(answer)
                forms[question].add(form)
    ambiguous = [question for question, texts in answers.items() if len(texts) > 1]
    # Small talk may have several replies.
    assert not [q for q in ambiguous if any(pattern.fullmatch(q) for pattern in patterns)]
    for form in FORMS:
        assert sum(len(names) > 1 for names in forms.values() if form in names) > 100, form
