"""Small talk in the chat template, unrelated to any task."""

import random

from .wording import word_list
from .world import DAYS, PEOPLE

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


def dialogue(rng: random.Random) -> str:
    """Write one or two exchanges of small talk as ``User: ...`` and ``Assistant: ...`` lines."""
    lines: list[str] = []
    for number in range(rng.choice((1, 2))):
        said, reply = _exchange(rng)
        if number == 0 and rng.random() < 0.7:
            said = f"{rng.choice(_GREETINGS)} {said}"
        lines += [f"User: {said}", f"Assistant: {reply}"]
    return "\n".join(lines)
