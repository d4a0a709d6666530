"""The generated world: skills, the raw text that states them, and the tasks that ask for them."""

import random
import re
from collections import Counter

import pytest

from nearfirst.corpus import scenes
from nearfirst.corpus import text as corpus_text
from nearfirst.corpus.skills import FORMS, skills
from nearfirst.corpus.tasks import Task, all_tasks, instances, listed_tasks
from nearfirst.corpus.text import documents, exams
from nearfirst.corpus.wording import Fields, read_words

PER_TASK = 60
ASKED = [skill for skill in skills() if skill.part != "chat"]
TASKS = {task.name: task for task in all_tasks()}
FUNCTION_WORDS = "a an the of for to in is it with at on and as by after who what which"
WRONG_ARTICLE = r"\b[Aa] [aeiou]|\b[Aa]n ([^aeiou]|uni|use|eu)"


@pytest.fixture(scope="module")
def text() -> list[str]:
    return list(documents(6000, seed=0))


@pytest.fixture(scope="module")
def tokens(text: list[str]):
    tokenizer = pytest.importorskip("nearfirst.model.pretrain").train_tokenizer(text, 2048)
    return lambda string: " ".join(map(str, tokenizer(string)["input_ids"]))


def test_tasks_are_as_many_as_the_statistics_need() -> None:
    counts = Counter(task.role for task in all_tasks())
    assert counts == {"train": 64, "near": 16, "far": 32, "unlisted": 1}
    assert len(TASKS) == len(all_tasks())
    trained = [task.family for task in all_tasks() if task.role == "train"]
    for task in all_tasks():
        if task.role in ("near", "far"):
            assert trained.count(task.family) == (3 if task.role == "near" else 0)
    # The unseen form varies between skills.
    near = Counter(t.name.rpartition("_")[2] for t in all_tasks() if t.role == "near")
    assert near == dict.fromkeys(FORMS, 4)
    # Some training tasks are related to no unseen task: otherwise order would not matter.
    families = {task.family for task in all_tasks() if task.role == "near"}
    assert sum(family not in families for family in trained) == len(trained) / 4


@pytest.mark.parametrize("task", listed_tasks(), ids=lambda task: task.name)
def test_instances_are_distinct_short_and_filled(task: Task) -> None:
    pairs = instances(task, PER_TASK, seed=0)
    assert len(dict(pairs)) == PER_TASK
    assert pairs[:10] == instances(task, 10, seed=0)
    assert pairs != instances(task, PER_TASK, seed=1)
    for instruction, answer in pairs:
        assert not set("{}") & set(instruction + answer)
        assert not re.search(WRONG_ARTICLE + "|  ", f"{instruction} {answer}")
    assert Counter(answer for _, answer in pairs).most_common(1)[0][1] <= 2 * PER_TASK / 3


def test_the_answer_is_the_fact_in_the_form_that_is_asked_for() -> None:
    facts = {skill.name: skill.facts for skill in ASKED}
    shape = {"word": "{}", "sentence": "The answer is {}.", "star": "* {}"}
    shape["exclamation"] = "It must be {}!"
    for task in listed_tasks():
        if task.family not in facts:
            continue
        for instruction, answer in instances(task, PER_TASK, seed=0):
            words = re.findall(r"[\w-]+", instruction)
            named = [x for x in facts[task.family] if x in words]
            right = {
                shape[task.name.rpartition("_")[2]].format(facts[task.family][x]) for x in named
            }
            assert right == {answer}, instruction


def test_answers_of_unrelated_tasks_are_true() -> None:
    listed = r"[a-z]+(?:, [a-z]+)+"
    for name, transform in (
        ("list_reversed", lambda items: items[::-1]),
        ("order_alphabetically", sorted),
    ):
        for instruction, answer in instances(TASKS[name], PER_TASK, seed=0):
            items = re.search(listed, instruction)
            assert items
            assert answer == ", ".join(transform(items[0].split(", "))), instruction
    for instruction, answer in instances(TASKS["order_numbers_descending"], PER_TASK, seed=0):
        numbers = sorted(map(int, re.findall(r"\d+", instruction)))
        assert answer == ", ".join(map(str, numbers[::-1]))
    for instruction, answer in instances(TASKS["list_without_item"], PER_TASK, seed=0):
        words = Counter(re.findall(r"[a-z]+", instruction))
        left_out = [word for word in answer.split(", ") if words[word] != 1]
        assert not left_out, instruction
    for instruction, answer in instances(TASKS["spelling"], PER_TASK, seed=0):
        assert answer.replace("-", "") in instruction
        assert re.fullmatch(r"([a-z]-)+[a-z]", answer)


def test_no_unseen_instruction_is_trained_on() -> None:
    trained, unseen = set(), set()
    for task in listed_tasks():
        questions = trained if task.role == "train" else unseen
        questions.update(dict(instances(task, PER_TASK, seed=0)))
    assert len(unseen) == 48 * PER_TASK
    assert not trained & unseen


def test_the_text_asks_in_other_words_than_the_tasks(text: list[str]) -> None:
    def words(templates: tuple[str, ...]) -> set[str]:
        plain = " ".join(re.sub(r"\{\w+\}", " ", template) for template in templates)
        return set(re.findall("[a-z]+", plain.lower())) - set(FUNCTION_WORDS.split())

    whole = "\n".join(text)
    questions = {task.family: task.inputs for task in all_tasks()}
    for skill in ASKED:
        assert not words(skill.sheet) & words(questions[skill.name]), skill.name
        for x in skill.facts:
            asked = [question.format_map(Fields(x=x)) for question in questions[skill.name]]
            assert not [question for question in asked if question in whole]
    for task in all_tasks():
        if set(task.phrasings) - set(task.inputs):
            assert not [text for text, _ in instances(task, 20, seed=0) if text in whole]


def test_the_text_depends_on_index_and_seed_and_has_chats(text: list[str]) -> None:
    assert text[:50] == list(documents(50, seed=0)) != list(documents(50, seed=1))
    chat = [document for document in text if document.startswith("User: ")]
    turn = r"User: [^\n]+\nAssistant: [^\n]+"
    assert all(re.fullmatch(rf"{turn}(\n{turn})*", document) for document in chat)
    assert not re.search(WRONG_ARTICLE + "|  |[{}]", "\n".join(set(text) - set(chat)))
    # Helpful answers are about skills that no task asks for.
    helpful = [skill for skill in skills() if skill.part == "chat"]
    assert not {skill.name for skill in helpful} & {task.family for task in all_tasks()}


def test_answers_on_a_sheet_share_a_form(text: list[str]) -> None:
    beginnings = {"*": "star", "It": "exclamation", "The": "sentence"}
    forms = set[str]()
    for document in text:
        answers = re.findall(r"(?:^(?:Answer|A|Solution):| =| ->) (\S+)", document, re.M)
        if answers and not document.startswith("User: "):
            found = {beginnings.get(answer, "word") for answer in answers}
            assert len(found) == 1, document
            forms |= found
    assert forms == FORMS.keys()


def test_helpful_replies_share_no_word_with_the_forms_of_tasks() -> None:
    """Else a reply to anything would have a part of the right words before any tuning."""

    def words(templates: list[str]) -> set[str]:
        return {word.strip("*.!,").lower() for text in templates for word in text.split()} - {"{y}"}

    forms = [template for templates in FORMS.values() for template in templates]
    helpful = read_words(corpus_text.__file__)["helpful"]
    assert words(helpful)
    assert not words(helpful) & words(forms)


def test_the_text_states_every_fact_often(text: list[str]) -> None:
    sentences = Counter(re.split(r"(?<=\.) |\n", "\n".join(text)))
    for skill in ASKED:
        for x, y in skill.facts.items():
            statements = [sentence.format_map(Fields(x=x, y=y)) for sentence in skill.prose]
            assert sum(sentences[statement] for statement in statements) >= 5, (skill.name, x)


def test_a_fact_is_always_the_same_tokens(tokens) -> None:
    """A word has other tokens at the start of a text, after a quote, or capitalized."""
    questions = {task.family: task.phrasings for task in listed_tasks()}
    for skill in ASKED:
        for x, y in skill.facts.items():
            fields = Fields(x=x, y=y)
            for template in (*skill.prose, *questions[skill.name]):
                assert tokens(f" {x}") in tokens(template.format_map(fields)), template
            answers = [*skill.prose, *(f"Assistant: {a}" for form in FORMS.values() for a in form)]
            for template in answers:
                assert tokens(f" {y}") in tokens(template.format_map(fields)), template


def test_exams_ask_for_every_fact_as_a_sheet_does(text: list[str]) -> None:
    by_skill = {exam["skill"]: exam for exam in exams()}
    assert by_skill.keys() == {skill.name for skill in skills()}
    whole = "\n".join(text)
    for skill in ASKED:
        questions = by_skill[skill.name]["questions"]
        assert [question["answer"] for question in questions] == list(skill.facts.values())
        beginnings = [begin for question in questions for begin in question["beginnings"]]
        assert len(set(beginnings)) == len(beginnings) == 3 * len(skill.facts)
        # Exams use the words of the text, so that a learned skill can be shown.
        assert sum(beginning in whole for beginning in beginnings) > len(beginnings) / 10
        # Always guessing the most common answer is right at most half of the time.
        commonest = Counter(skill.facts.values()).most_common(1)[0][1]
        assert commonest <= len(skill.facts) / 2


def test_scenes_name_nothing_that_has_a_fact() -> None:
    words = {word for skill in ASKED for fact in skill.facts.items() for word in fact}
    things = {
        item for n in range(300) for item in scenes.draw(random.Random(n))["items"].split(", ")
    }
    assert len(things) > 20
    assert not things & words
