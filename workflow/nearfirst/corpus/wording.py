"""Small rules of English that the tasks and the prose share."""

from collections.abc import Iterable, Sequence


def word_list(text: str, separator: str | None = None) -> list[str]:
    """Read a list of words written as one string, which keeps long lists short on the page."""
    return text.split(separator)


_UNITS = word_list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = word_list("twenty thirty forty fifty sixty seventy eighty ninety")
_IRREGULAR_PLURALS = {
    "child": "children",
    "foot": "feet",
    "goose": "geese",
    "knife": "knives",
    "leaf": "leaves",
    "loaf": "loaves",
    "man": "men",
    "mouse": "mice",
    "shelf": "shelves",
    "tooth": "teeth",
    "wife": "wives",
    "wolf": "wolves",
    "woman": "women",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "hero": "heroes",
}


def number_word(number: int) -> str:
    """Spell a number from 0 to 99 in words, as in ``twenty-one``."""
    if not 0 <= number < 100:
        raise ValueError(f"no words for {number}: only 0 to 99 are spelled")
    if number < 20:
        return _UNITS[number]
    tens, units = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_UNITS[units]}" if units else "")


def counted(number: int, noun: str) -> str:
    """Name a number of things, as in ``one pear`` or ``three pears``."""
    return f"{number_word(number)} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Form the plural of a countable noun."""
    if noun in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[noun]
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def with_article(phrase: str) -> str:
    """Put ``a`` or ``an`` before a phrase; the word lists hold no silent h or spoken ``you``."""
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"


def sentence_case(text: str) -> str:
    """Write the first letter as a capital and leave the rest alone."""
    return text[0].upper() + text[1:]


def listing(items: Iterable[str]) -> str:
    """Join items as an answer lists them: ``a, b, c``."""
    return ", ".join(items)


def series(items: Sequence[str], word: str = "and") -> str:
    """Join items as a sentence names them: ``a, b and c``."""
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def numbered(items: Iterable[str]) -> str:
    """Write items as numbered options: ``(1) a (2) b``."""
    return " ".join(f"({number}) {item}" for number, item in enumerate(items, start=1))
