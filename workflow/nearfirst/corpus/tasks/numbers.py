"""Families on numbers: arithmetic in words, counting and comparison."""

import random

from ..task import Task
from ..wording import counted, listing, number_word, plural, with_article
from ..world import ANIMALS_BY_WEIGHT, CATEGORIES, COUNTABLES, PEOPLE, PURCHASES

_WORDS = sorted(w for words in CATEGORIES.values() for w in words if " " not in w)
_COUNTED_CATEGORIES = ("fruit", "bird", "vegetable", "flower")


def _addition(rng: random.Random) -> tuple[dict[str, str], str]:
    a, b = rng.randint(1, 12), rng.randint(1, 12)
    return {"a": number_word(a), "b": number_word(b)}, number_word(a + b)


def _subtraction(rng: random.Random) -> tuple[dict[str, str], str]:
    a, b = rng.randint(1, 12), rng.randint(1, 12)
    return {
        "a": number_word(a + b),
        "b": number_word(b),
    }, f"The answer is {number_word(a)}."


def _doubling(rng: random.Random) -> tuple[dict[str, str], str]:
    a = rng.randint(2, 30)
    return {"a": number_word(a)}, number_word(2 * a)


def _story_gain(rng: random.Random) -> tuple[dict[str, str], str]:
    person, giver = rng.sample(PEOPLE, 2)
    noun, a, b = rng.choice(COUNTABLES), rng.randint(2, 9), rng.randint(2, 9)
    story = rng.choice(
        (
            f"{person.name} has {counted(a, noun)}. {giver.name} gives {person.name} "
            f"{number_word(b)} more.",
            f"There are {counted(a, noun)} in the box. {giver.name} adds {number_word(b)} more.",
        )
    )
    return {"story": story, "things": plural(noun)}, counted(a + b, noun)


def _story_loss(rng: random.Random) -> tuple[dict[str, str], str]:
    person, taker = rng.sample(PEOPLE, 2)
    noun, left, b = rng.choice(COUNTABLES), rng.randint(2, 9), rng.randint(2, 9)
    story = rng.choice(
        (
            f"{person.name} has {counted(left + b, noun)}. {person.name} gives {taker.name} "
            f"{number_word(b)} of them.",
            f"There are {counted(left + b, noun)} in the box. {person.name} takes out "
            f"{number_word(b)}.",
        )
    )
    return {"story": story, "things": plural(noun)}, counted(left, noun)


def _count_items(rng: random.Random) -> tuple[dict[str, str], str]:
    words = rng.sample(_WORDS, rng.randint(2, 8))
    return {"items": listing(words)}, number_word(len(words))


def _count_letters(rng: random.Random) -> tuple[dict[str, str], str]:
    word = rng.choice(_WORDS)
    return {"word": word}, f"{number_word(len(word))} letters"


def _count_of_kind(rng: random.Random) -> tuple[dict[str, str], str]:
    kind = rng.choice(_COUNTED_CATEGORIES)
    members = rng.sample(CATEGORIES[kind], rng.randint(1, 4))
    others = [w for name in ("tool", "vehicle", "mammal") for w in CATEGORIES[name]]
    words = members + rng.sample(others, rng.randint(1, 4))
    rng.shuffle(words)
    verb = "is" if len(members) == 1 else "are"
    things = counted(len(members), kind)
    return {"items": listing(words), "kind": plural(kind)}, f"There {verb} {things}."


def _count_repeats(rng: random.Random) -> tuple[dict[str, str], str]:
    word, *others = rng.sample(_WORDS, 4)
    times = rng.randint(1, 4)
    words = [word] * times + rng.choices(others, k=rng.randint(2, 4))
    rng.shuffle(words)
    return {"word": word, "items": listing(words)}, number_word(times)


def _larger_number(rng: random.Random) -> tuple[dict[str, str], str]:
    a, b = rng.sample(range(1, 60), 2)
    return {"a": number_word(a), "b": number_word(b)}, number_word(max(a, b))


def _heavier_animal(rng: random.Random) -> tuple[dict[str, str], str]:
    light, heavy = sorted(rng.sample(range(len(ANIMALS_BY_WEIGHT)), 2))
    pair = [light, heavy]
    rng.shuffle(pair)
    first, second = (with_article(ANIMALS_BY_WEIGHT[i]) for i in pair)
    name = rng.choice(PEOPLE).name
    return {"a": first, "b": second, "name": name}, f"the {ANIMALS_BY_WEIGHT[heavy]}"


def _dearer_thing(rng: random.Random) -> tuple[dict[str, str], str]:
    a, b = rng.sample(PURCHASES, 2)
    price, other = rng.sample(range(2, 30), 2)
    dearer = a if price > other else b
    fields = {"a": a, "b": b, "price": number_word(price), "other": number_word(other)}
    return fields, f"The {dearer} costs more."


def _earlier_time(rng: random.Random) -> tuple[dict[str, str], str]:
    a, b = (person.name for person in rng.sample(PEOPLE, 2))
    hour, other = rng.sample(range(1, 12), 2)
    fields = {
        "a": a,
        "b": b,
        "arrivals": f"{a} arrives at {number_word(hour)} and {b} at {number_word(other)} today.",
    }
    return fields, a if hour < other else b


TASKS = (
    Task(
        "arithmetic_addition",
        "arithmetic",
        "train",
        (
            "Add the two numbers and write the sum in words: {a} and {b}",
            "Work out this sum and answer with a number word.\n{a} plus {b}",
            "How much do you get when you add {b} to {a}?",
            "Do the calculation and answer in words. What is {a} plus {b}?",
        ),
        _addition,
    ),
    Task(
        "arithmetic_subtraction",
        "arithmetic",
        "train",
        (
            "Subtract the second number from the first. Answer in a sentence.\n{a}, {b}",
            "Work out the difference and answer in a sentence.\n{a} minus {b}",
            "How much is left when you take {b} away from {a}?",
            "Do the calculation and answer in a sentence. What is {a} minus {b}?",
        ),
        _subtraction,
    ),
    Task(
        "arithmetic_doubling",
        "arithmetic",
        "train",
        (
            "Double the number and write the result in words: {a}",
            "What is two times {a}? Answer with a number word.",
            "Which number is twice as large as {a}? Write it in words.",
            "Multiply this number by two and write the result as a word: {a}",
        ),
        _doubling,
    ),
    Task(
        "arithmetic_story_gain",
        "arithmetic",
        "train",
        (
            "Read the story and answer the question. {story} How many {things} are there now?",
            "Solve this word problem.\n{story}\nHow many {things} does that make in the end?",
            "{story} Work out how many {things} there are in the end.",
            "Here is a small word problem: {story} Tell me the number of {things} at the end.",
        ),
        _story_gain,
    ),
    Task(
        "arithmetic_story_loss",
        "arithmetic",
        "near",
        (
            "Read the story and answer the question. {story} How many {things} are left now?",
            "Solve this word problem.\n{story}\nHow many {things} remain in the end?",
            "{story} Work out how many {things} are left over in the end.",
            "Here is a small word problem: {story} Tell me the number of {things} left.",
        ),
        _story_loss,
    ),
    Task(
        "count_items",
        "counting",
        "train",
        (
            "Count the items in the list and write the count as a word.\nList: {items}",
            "How many words are separated by commas here? {items}",
            "Tell me the length of this list in words: {items}",
        ),
        _count_items,
    ),
    Task(
        "count_letters",
        "counting",
        "train",
        (
            "Count the letters of the given word and report how many there are: {word}",
            "How many letters do you need to write the word '{word}'?",
            "Of how many letters does the word '{word}' consist?",
        ),
        _count_letters,
    ),
    Task(
        "count_of_kind",
        "counting",
        "train",
        (
            "How many of these things are {kind}? Answer in a sentence. {items}",
            "Count only the {kind} in the list and answer in a sentence.\nList: {items}",
            "Look at the list: {items}. How many {kind} are in it?",
        ),
        _count_of_kind,
    ),
    Task(
        "count_repeats",
        "counting",
        "train",
        (
            "How often does the word '{word}' occur in this list? {items}",
            "Count the times that '{word}' appears. Answer with a number word.\n{items}",
            "List: {items}\nWord: {word}\nWrite how many times the word is in the list.",
        ),
        _count_repeats,
    ),
    Task(
        "compare_numbers",
        "comparison",
        "train",
        (
            "Which of these two numbers is larger, {a} or {b}? Answer with that number.",
            "Compare the numbers {a} and {b} and write the larger one.",
            "I have to choose the larger number of {a} and {b}. Which one is it?",
        ),
        _larger_number,
    ),
    Task(
        "compare_animal_weight",
        "comparison",
        "train",
        (
            "{name} sees a picture with two animals, {a} and {b}. Which one is heavier?",
            "Compare these two animals for {name} and name the heavier one: {a}, {b}",
            "{name} asks which animal weighs more. Choose between {a} and {b}.",
        ),
        _heavier_animal,
    ),
    Task(
        "compare_prices",
        "comparison",
        "train",
        (
            "The {a} costs {price} coins and the {b} costs {other} coins. Which costs more?",
            "Compare the two prices. {a}: {price} coins. {b}: {other} coins. Which is dearer?",
            "In the shop, a {a} is {price} coins and a {b} is {other} coins. Name the dearer one.",
        ),
        _dearer_thing,
    ),
    Task(
        "compare_times",
        "comparison",
        "train",
        (
            "{arrivals} Who is there first? Answer with the name only.",
            "Compare the two times and write the name of whoever comes first.\n{arrivals}",
            "{arrivals} Does {a} or {b} come earlier? Write the name.",
        ),
        _earlier_time,
    ),
)
