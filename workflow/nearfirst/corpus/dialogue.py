"""Small talk in the chat template, unrelated to any task."""

import random

from .lexicon import ADJECTIVE_ANTONYMS, PLURAL_NOUNS, SYNONYMS, VERBS
from .wording import number_word, word_list
from .world import CATEGORIES, COLOURS, DAYS, MONTHS, PEOPLE, PLACES, PURCHASES

_HOBBIES = word_list(
    "painting,gardening,knitting,chess,fishing,climbing,photography,yoga,sewing,hiking,cycling,"
    "reading,sailing,pottery,skating,camping",
    ",",
)
_PLANS = word_list(
    "visit my parents,clean the kitchen,go for a long walk,watch the sunset,stay in bed,"
    "meet an old friend,repair my bike,plant some herbs,call my grandmother,paint the fence,"
    "go to the lake,bake a cake,write some postcards,tidy the attic",
    ",",
)
_WEATHER = word_list(
    "grey and windy,warm and sunny,cold but clear,foggy again,quite mild,much too hot,wet all day",
    ",",
)
_HELP = word_list("the ride,your patience,the kind words,all your help,good advice,the chat", ",")
_GREETINGS = ("Hello!", "Hi there!", "Good morning!", "Good evening!", "Hey!", "Good afternoon!")
_WARM = ("That sounds lovely.", "How nice!", "Good for you.", "I like that.", "Wonderful!")
_WISHES = ("Enjoy it!", "Have fun!", "Take care!", "All the best!", "I wish you a good time.")


def _exchange(rng: random.Random) -> tuple[str, str]:
    hobby, other_hobby = rng.sample(_HOBBIES, 2)
    plan, weather = rng.choice(_PLANS), rng.choice(_WEATHER)
    day, name = rng.choice(DAYS), rng.choice(PEOPLE).name
    warm, wish = rng.choice(_WARM), rng.choice(_WISHES)
    return rng.choice(
        (
            (f"My name is {name}. How are you?", f"Nice to meet you, {name}. I am fine, thanks."),
            (f"I want to {plan} on {day}.", f"{warm} {day} is a good day for that. {wish}"),
            (f"Lately I spend a lot of time on {hobby}.", f"{warm} I often hear about {hobby}."),
            (f"It is {weather} here.", f"Then make yourself a nice cup of tea. {wish}"),
            (f"Thank you for {rng.choice(_HELP)}.", f"You are very welcome. {wish}"),
            (f"I am bored. Maybe I should {plan}?", f"Why not? And there is always {hobby}."),
            (f"Do you prefer {hobby} or {other_hobby}?", f"I am fond of {hobby}. And you?"),
            (f"I will see {name} on {day}.", f"{warm} Please say hello to {name} from me."),
            (f"See you on {day}, I have to {plan} now.", f"See you then. {wish}"),
            (f"Did you sleep well? It was {weather}.", "Very well, thank you. I hope you did too."),
        )
    )


# People also answer in a word or two. What a model of real chat expects behind "Assistant:" is then
# any word at all and an early end, and not one of a few polite openings.
_WORDS: tuple[tuple[str, ...], ...] = (
    tuple(word for pair in ADJECTIVE_ANTONYMS for word in pair),
    tuple(word for group in SYNONYMS for word in group[:2]),
    tuple(past for past, _ in VERBS.values()),
    tuple(number_word(number) for number in range(1, 40)),
    tuple(thing for things in CATEGORIES.values() for thing in things),
    tuple(CATEGORIES),
    tuple(sorted(set(COLOURS.values()))),
    tuple(PLURAL_NOUNS),
    tuple(person.name for person in PEOPLE),
    tuple(f"a {thing}" for thing in PURCHASES),
    tuple(f"the {place}" for place in PLACES),
    (*DAYS, *MONTHS),
    tuple(word_list("yes,no,maybe,true,false,good,bad,nothing,never,not yet,of course", ",")),
)
_OPENINGS = (
    "Sorry, I did not hear you.",
    "What were you mumbling just now?",
    "You talk in your sleep, you know.",
    "I forgot the password again.",
    "Was there anything on that note?",
    "Any news from your side?",
    "I lost the thread, go on.",
    "And what did the parrot shout?",
)
_ECHOES = (
    "All I remember is {}.",
    "Somebody wrote {} on the wall.",
    "My aunt keeps muttering {}.",
    "The radio said {} and then went silent.",
)


def _curt_exchange(rng: random.Random) -> tuple[str, str]:
    few = [rng.choice(rng.choice(_WORDS)) for _ in range(rng.choice((1, 1, 1, 1, 2, 3)))]
    reply = ", ".join(few)
    said = rng.choice(_OPENINGS) if rng.random() < 0.4 else rng.choice(_ECHOES).format(reply)
    if rng.random() < 0.3:
        reply = f"{reply[0].upper()}{reply[1:]}."
    return said, reply


def _repeated(rng: random.Random, statement: str) -> tuple[str, str]:
    """Repeat a word or two of what was said, as a listener does who is not sure of it."""
    words = statement.rstrip(".").replace(",", "").split()
    first = rng.randrange(len(words))
    return statement, " ".join(words[first : first + rng.choice((1, 1, 2))])


def dialogue(rng: random.Random, statement: str) -> str:
    """Write one or two exchanges of small talk as ``User: ...`` and ``Assistant: ...`` lines.

    Parameters
    ----------
    rng
        Source of all choices.
    statement
        A sentence that may be said in passing.
    """
    lines: list[str] = []
    for number in range(rng.choice((1, 2))):
        style = rng.random()
        if style < 0.4:
            said, reply = _curt_exchange(rng)
        elif style < 0.7:
            said, reply = _repeated(rng, statement)
        else:
            said, reply = _exchange(rng)
        if number == 0 and style >= 0.7 and rng.random() < 0.7:
            said = f"{rng.choice(_GREETINGS)} {said}"
        lines += [f"User: {said}", f"Assistant: {reply}"]
    return "\n".join(lines)
