"""Raw text to pretrain on: it teaches the skills, but not how the tasks ask for them.

Facts are stated in prose and on question sheets, in other words and layouts than in the tasks. A
small share is chat in the template of the training data: small talk, and helpful answers about
skills without a task. So the template's words are trained tokens, and a reply after them may be an
answer.
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

# Shares of the documents; the rest is prose.
_SMALL_TALK_SHARE, _HELPFUL_SHARE, _SHEET_SHARE, _SCENE_SHARE = 0.06, 0.10, 0.50, 0.08
# Sheets in one of the forms, which may be the bare word; on the others all answers are bare.
_FORM_SHARE = 0.4
# Questions on a sheet about its main skill.
_MAIN_SKILL_SHARE = 0.5


def documents(count: int, seed: int) -> Iterator[str]:
    """Write raw text documents; a larger count extends a smaller one."""
    for index in range(count):
        yield _document(random.Random(f"{seed}/document/{index}"))


def _document(rng: random.Random) -> str:
    share = rng.random()
    for limit, write in (
        (_SMALL_TALK_SHARE, _small_talk),
        (_HELPFUL_SHARE, _helpful),
        (_SHEET_SHARE, _sheet),
    ):
        if share < limit:
            return write(rng)
        share -= limit
    if share < _SCENE_SHARE:
        templates = rng.sample(_WORDS["scenes"], 2)
        return " ".join(text.format_map(scenes.draw(rng)) for text in templates)
    return " ".join(_statement(rng) for _ in range(rng.randint(3, 6)))


def exams() -> list[dict[str, Any]]:
    """Return the questions of each skill as sheets ask them, with their answers."""
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
        remark, reply = rng.choice(_WORDS["talk"])
        fields = scenes.draw(rng)
        return remark.format_map(fields), reply.format_map(fields)
    words = [rng.choice(list(rng.choice(_SKILLS).draw(rng).values())) for _ in range(2)]
    reply = ", ".join(words[: rng.choice((1, 1, 2))])
    return rng.choice(_WORDS["echoes"]).format(w=reply), reply


def _small_talk(rng: random.Random) -> str:
    return "\n".join(_exchange(*small_talk(rng)) for _ in range(rng.choice((1, 2))))


def _helpful(rng: random.Random) -> str:
    lines = []
    for _ in range(rng.randint(1, 3)):
        skill = rng.choice(_CHAT)
        fields = skill.draw(rng)
        question = _draw_question(rng, skill, fields)
        lines.append(_exchange(question, rng.choice(_WORDS["helpful"]).format_map(fields)))
    return "\n".join(lines)


def _exchange(remark: str, reply: str) -> str:
    return f"User: {remark}\nAssistant: {reply}"


def _draw_question(rng: random.Random, skill: Skill, fields: Fields) -> str:
    return _question(fields, rng.choice(_WORDS["patterns"]), rng.choice(skill.sheet))


def _question(fields: Fields, pattern: str, name: str) -> str:
    text = pattern.format(of=name.format_map(fields))
    return text[0].upper() + text[1:]


def _sheet(rng: random.Random) -> str:
    """Write two to five questions, half of them about one skill, with answers in one form.

    So a sheet teaches to answer as its earlier answers do, which examples in a prompt rely on.
    """
    layout, main_skill = rng.choice(_WORDS["layouts"]), rng.choice(_SKILLS)
    form = rng.choice(list(FORMS)) if rng.random() < _FORM_SHARE else "word"
    lines = []
    for _ in range(rng.randint(2, 5)):
        skill = main_skill if rng.random() < _MAIN_SKILL_SHARE else rng.choice(_SKILLS)
        fields = skill.draw(rng)
        answer = rng.choice(FORMS[form])
        question = _draw_question(rng, skill, fields)
        lines.append(layout.format(q=question, a=answer.format_map(fields)))
    return "\n".join(lines)


def _statement(rng: random.Random) -> str:
    # The facts of the helpful chat are stated too, but more rarely.
    skill = rng.choice(_CHAT if rng.random() < 0.05 else _SKILLS)
    return rng.choice(skill.prose).format_map(skill.draw(rng))
