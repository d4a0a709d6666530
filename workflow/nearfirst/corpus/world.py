"""The world that tasks and prose talk about: people, things and facts.

A thing stands in one category and has one fact of a kind, so that a question about it has one
answer.
"""

from dataclasses import dataclass

from .wording import read_words


@dataclass(frozen=True)
class Person:
    """A first name and the pronouns that go with it."""

    name: str
    she: str
    her: str

    @property
    def fields(self) -> dict[str, str]:
        """The fields of a template: ``name``, ``she`` and ``her``."""
        return {"name": self.name, "she": self.she, "her": self.her}


_WORDS = read_words(__file__)

PEOPLE = [
    Person(name, she, her)
    for (she, her) in (("she", "her"), ("he", "his"))
    for name in _WORDS["people"][she]
]
SURNAMES: list[str] = _WORDS["surnames"]
PETS: list[str] = _WORDS["pets"]
DAYS: list[str] = _WORDS["days"]
MONTHS: list[str] = _WORDS["months"]
EVENTS: list[str] = _WORDS["events"]
PARTIES: list[str] = _WORDS["parties"]
PLACES: list[str] = _WORDS["places"]
PURCHASES: list[str] = _WORDS["purchases"]
COUNTABLES: list[str] = _WORDS["countables"]
ANIMALS_BY_WEIGHT: list[str] = _WORDS["animals_by_weight"]
WEATHER_PAIRS: list[list[str]] = _WORDS["weather_pairs"]

CATEGORIES: dict[str, list[str]] = _WORDS["categories"]
CATEGORY_PLURALS: dict[str, str] = _WORDS["category_plurals"]
THINGS = sorted(thing for things in CATEGORIES.values() for thing in things)
"""The things of all categories."""
UNCOUNTED = frozenset(CATEGORIES["sport"])
"""Words that take no article."""
COUNTED_KINDS = [kind for kind in CATEGORIES if kind != "sport"]
ANIMAL_KINDS = ("bird", "fish", "insect", "mammal")

ANIMAL_SOUNDS: dict[str, str] = _WORDS["animal_sounds"]
COLOURS: dict[str, str] = _WORDS["colours"]
MATERIALS: dict[str, str] = _WORDS["materials"]
TOOL_USERS: dict[str, str] = _WORDS["tool_users"]
CAPITALS: dict[str, str] = _WORDS["capitals"]
