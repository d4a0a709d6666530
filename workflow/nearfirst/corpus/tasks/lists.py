"""Families on lists: picking and rearranging items, and putting them in order."""

import random

from ..task import Task
from ..wording import listing, number_word
from ..world import ANIMALS_BY_WEIGHT, CATEGORIES

_WORDS = sorted(w for words in CATEGORIES.values() for w in words if " " not in w)


def _items(rng: random.Random, least: int = 3, most: int = 5) -> list[str]:
    return rng.sample(_WORDS, rng.randint(least, most))


def _first(rng: random.Random) -> tuple[dict[str, str], str]:
    items = _items(rng)
    return {"items": listing(items)}, items[0]


def _last(rng: random.Random) -> tuple[dict[str, str], str]:
    items = _items(rng)
    return {"items": listing(items)}, f"The last item is {items[-1]}."


def _reverse(rng: random.Random) -> tuple[dict[str, str], str]:
    items = _items(rng, 3, 4)
    return {"items": listing(items)}, listing(reversed(items))


def _remove(rng: random.Random) -> tuple[dict[str, str], str]:
    items = _items(rng, 3, 5)
    item = rng.choice(items)
    return {"items": listing(items), "item": item}, listing(i for i in items if i != item)


def _alphabet(rng: random.Random) -> tuple[dict[str, str], str]:
    # Different first letters: the order shows without looking further into the words.
    by_letter = {word[0]: word for word in rng.sample(_WORDS, len(_WORDS))}
    items = [by_letter[letter] for letter in rng.sample(sorted(by_letter), rng.randint(3, 4))]
    return {"items": listing(items)}, listing(sorted(items))


def _numbers(rng: random.Random) -> list[int]:
    return rng.sample(range(1, 40), rng.randint(3, 4))


def _ascending(rng: random.Random) -> tuple[dict[str, str], str]:
    numbers = _numbers(rng)
    answer = listing(number_word(n) for n in sorted(numbers))
    return {"items": listing(number_word(n) for n in numbers)}, answer


def _descending(rng: random.Random) -> tuple[dict[str, str], str]:
    numbers = _numbers(rng)
    answer = listing(str(n) for n in sorted(numbers, reverse=True))
    return {"items": listing(str(n) for n in numbers)}, answer


def _by_size(rng: random.Random) -> tuple[dict[str, str], str]:
    order = rng.sample(range(len(ANIMALS_BY_WEIGHT)), rng.randint(3, 4))
    answer = " < ".join(ANIMALS_BY_WEIGHT[i] for i in sorted(order))
    return {"items": listing(ANIMALS_BY_WEIGHT[i] for i in order)}, answer


TASKS = (
    Task(
        "list_first_item",
        "list",
        "train",
        (
            "Return the first item of the list, without any other word.\nList: {items}",
            "Which item stands at the beginning of this list? {items}",
            "From the list ({items}) copy only the item in first position.",
        ),
        _first,
    ),
    Task(
        "list_last_item",
        "list",
        "train",
        (
            "Say in a sentence which item is the last one of the list.\nList: {items}",
            "Which item stands at the end of this list? {items}",
            "What is the final item in the list ({items})? Answer in a sentence.",
        ),
        _last,
    ),
    Task(
        "list_reversed",
        "list",
        "train",
        (
            "Return the items of the list in reverse order.\nList: {items}",
            "Write this list backwards, starting with its final item: {items}",
            "Turn the list around, so that the last item comes first. {items}",
        ),
        _reverse,
    ),
    Task(
        "list_without_item",
        "list",
        "train",
        (
            "Remove the item '{item}' and return the rest of the list.\nList: {items}",
            "Delete '{item}' from this list and keep all the other items: {items}",
            "Copy the list ({items}) but leave out the item '{item}'.",
        ),
        _remove,
    ),
    Task(
        "order_alphabetically",
        "ordering",
        "train",
        (
            "Sort the words in alphabetical order.\nWords: {items}",
            "Put these words in the order of a dictionary, from A to Z: {items}",
            "Arrange the following words alphabetically and separate them by commas. {items}",
        ),
        _alphabet,
    ),
    Task(
        "order_numbers_ascending",
        "ordering",
        "train",
        (
            "Sort the numbers from the smallest to the largest.\nNumbers: {items}",
            "Put these number words in ascending order: {items}",
            "Arrange the following numbers so that each is larger than the one before. {items}",
        ),
        _ascending,
    ),
    Task(
        "order_numbers_descending",
        "ordering",
        "train",
        (
            "Sort the numbers from the largest to the smallest.\nNumbers: {items}",
            "Put these numbers in descending order, separated by commas: {items}",
            "Arrange the following numbers so that each is smaller than the one before. {items}",
        ),
        _descending,
    ),
    Task(
        "order_animals_by_size",
        "ordering",
        "train",
        (
            "Sort the animals by size with the sign '<', smallest first.\nAnimals: {items}",
            "Use the sign '<' to put these animals in order of size: {items}",
            "Arrange the following animals from small to big and write '<' between them. {items}",
        ),
        _by_size,
    ),
)
