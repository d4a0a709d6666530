"""Raw text to pretrain on: it teaches the skills, and not how the tasks ask for them.

Facts stand in prose and on question sheets, in other words and layouts than those of the tasks. A
small share is chat in the template of the training data, small talk and helpful answers about
skills that are no task, so that the words of the template are trained tokens and a reply behind
them may answer.
"""

import random
from collections.abc import Iterator
from typing import Any

from . import scenes
from .skills import FORMS, Skill, skills
from .wording import Fields, read_words

_WORDS = read_words(__file__)
_SKILLS = [skill for skill in skills() if skill.part != "chat"]
_CHAT = [skill for skill in skills() if skill.part == "chat"]

# Shares of the documents; what remains is prose.
_TALK, _HELPFUL, _SHEETS, _SCENES = 0.06, 0.10, 0.50, 0.08
# Answers on a sheet that stand in one of the forms, the bare word included.
_IN_A_FORM = 0.4
# Questions on a sheet that are about its own skill.
_ON_SUBJECT = 0.5


def document(index: int, seed: int) -> str:
    """Write one document, which depends on its index and on the seed of the text only."""
    rng = random.Random(f"{seed}/document/{index}")
    share = rng.random()
    for limit, write in ((_TALK, _small_talk), (_HELPFUL, _helpful), (_SHEETS, _sheet)):
        if share < limit:
            return write(rng)
        share -= limit
    if share < _SCENES:
        templates = rng.sample(_WORDS["scenes"], 2)
        return " ".join(text.format_map(scenes.draw(rng)) for text in templates)
    return " ".join(_statement(rng) for _ in range(rng.randint(3, 6)))


def documents(count: int, seed: int) -> Iterator[str]:
    """Write raw text documents; a larger count extends a smaller one."""
    for index in range(count):
        yield document(index, seed)


def _question(fields: Fields, pattern: str, name: str) -> str:
    text = pattern.format(of=name.format_map(fields))
    return text[0].upper() + text[1:]


def exams() -> list[dict[str, Any]]:
    """Return, for each skill, questions as sheets put them, which its facts answer."""
    layout, pattern = _WORDS["layouts"][0], _WORDS["patterns"][0]
    return [
        {
            "skill": skill.name,
            "part": skill.part,
            "questions": [
                {
                    "answer": y,
                    "beginnings": [
                        layout.format(q=_question(Fields(x=x), pattern, name), a="").rstrip()
                        for name in skill.sheet
                    ],
                }
                for x, y in skill.facts.items()
            ],
        }
        for skill in skills()
    ]


def small_talk(rng: random.Random) -> tuple[str, str]:
    """Draw a remark and its reply, unrelated to any task; half of the replies are a word or two."""
    if rng.random() < 0.5:
        said, reply = rng.choice(_WORDS["talk"])
        fields = scenes.draw(rng)
        return said.format_map(fields), reply.format_map(fields)
    words = [rng.choice(list(rng.choice(_SKILLS).draw(rng).values())) for _ in range(2)]
    reply = ", ".join(words[: rng.choice((1, 1, 2))])
    return rng.choice(_WORDS["echoes"]).format(w=reply), reply


def _small_talk(rng: random.Random) -> str:
    return "\n".join(_turns(*small_talk(rng)) for _ in range(rng.choice((1, 2))))


def _helpful(rng: random.Random) -> str:
    lines = []
    for _ in range(rng.randint(1, 3)):
        skill = rng.choice(_CHAT)
        fields = skill.draw(rng)
        lines.append(_turns(_asked(rng, skill, fields), rng.choice(_WORDS["helpful"]), fields))
    return "\n".join(lines)


def _turns(said: str, reply: str, fields: Fields | None = None) -> str:
    return f"User: {said}\nAssistant: {reply.format_map(fields) if fields else reply}"


def _asked(rng: random.Random, skill: Skill, fields: Fields) -> str:
    return _question(fields, rng.choice(_WORDS["patterns"]), rng.choice(skill.sheet))


def _sheet(rng: random.Random) -> str:
    """Write two to five questions with their answers, half of them about one skill."""
    layout, subject = rng.choice(_WORDS["layouts"]), rng.choice(_SKILLS)
    form = rng.choice(list(FORMS))
    lines = []
    for _ in range(rng.randint(2, 5)):
        skill = subject if rng.random() < _ON_SUBJECT else rng.choice(_SKILLS)
        fields = skill.draw(rng)
        answer = rng.choice(FORMS[form]) if rng.random() < _IN_A_FORM else "{y}"
        asked = _asked(rng, skill, fields)
        lines.append(layout.format(q=asked, a=answer.format_map(fields)))
    return "\n".join(lines)


def _statement(rng: random.Random) -> str:
    # The facts of the helpful chat are stated too, if more rarely.
    skill = rng.choice(_CHAT if rng.random() < 0.05 else _SKILLS)
    return rng.choice(skill.prose).format_map(skill.draw(rng))
