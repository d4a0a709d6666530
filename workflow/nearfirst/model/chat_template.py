"""The chat template that comes with a model's tokenizer: which tokens are answers."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import TOOLS, Message, is_trained

REMEDY = "; set template.format to paper"
DAY = "26 Jul 2024"
"""The date for templates that ask for one: tokens must not depend on the day of a run."""


def encode(
    conversations: Sequence[Sequence[Message]], tokenizer: Any
) -> Iterator[tuple[list[int], list[bool]]]:
    """Yield the ids of each conversation, and which of them carry a label.

    The tokens of each answer that is trained on and the token that ends its turn carry labels. An
    answer begins where the template's `add_generation_prompt` ends, so training sees what
    generation begins with. White space around an answer is dropped, as in most templates: else one
    token could hold the end of the prompt and the beginning of the answer. A control token in a
    message is text. The ids end with the last answer.

    Raises
    ------
    InputError
        If the tokenizer has no template, or its template refuses a conversation or does not mark
        where answers begin and end.
    """
    if not conversations:
        return
    end = end_of_turn(tokenizer)
    stripped = [
        [Message(role=turn["role"], content=turn["content"].strip()) for turn in messages]
        for messages in conversations
    ]
    whole = _render(stripped, tokenizer, asks=False)
    answers = [
        [turn for turn, its in enumerate(messages) if its["role"] == "assistant"]
        for messages in conversations
    ]
    asked = [m[:turn] for m, turns in zip(stripped, answers, strict=True) for turn in turns]
    starts = iter(_render(asked, tokenizer, asks=True))
    for messages, ids, turns in zip(conversations, whole, answers, strict=True):
        is_label = [False] * len(ids)
        last = 0
        for turn in turns:
            first, last = _answer(ids, next(starts), end, tokenizer)
            is_label[first:last] = [is_trained(messages[turn])] * (last - first)
        yield ids[:last], is_label[:last]


def refusal(messages: Sequence[Message], tokenizer: Any) -> str:
    """Return why the template does not take a conversation, or all its turns of tools; "" if so."""
    changed = [
        [
            *messages[:at],
            Message(role=turn["role"], content=f"{turn['content']} more"),
            *messages[at + 1 :],
        ]
        for at, turn in enumerate(messages)
        if turn["role"] in TOOLS
    ]
    try:
        (whole, _), *others = encode([messages, *changed], tokenizer)
    except InputError as error:
        return str(error).removesuffix(REMEDY)
    if any(ids == whole for ids, _ in others):
        return f"the chat template of {tokenizer.name_or_path} leaves out the turn of a tool"
    return ""


def end_of_turn(tokenizer: Any) -> int:
    """Return the token that ends an answer: the first special one after its text.

    Raises
    ------
    InputError
        If there is none or not every answer ends in it; else as `encode`.
    """
    talk: list[Message] = [
        {"role": ("user", "assistant")[turn % 2], "content": word}
        for turn, word in enumerate(("one", "two", "three", "four"))
    ]
    ids, whole = _render([talk[:2], talk], tokenizer, asks=False)
    (start,) = _render([talk[:1]], tokenizer, asks=True)
    first = _begin(ids, start, tokenizer)
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    for i in range(first, len(ids)):
        if ids[i] in special and "two" in tokenizer.decode(ids[first:i]):
            begin, end = _answer(whole, start, ids[i], tokenizer)
            if "three" in tokenizer.decode(whole[begin:end]):
                break
            return ids[i]
    raise _unusable(tokenizer, "does not end every answer with one special token")


def _answer(ids: list[int], start: list[int], end: int, tokenizer: Any) -> tuple[int, int]:
    """Return the bounds [first, last) of the answer that follows the prompt `start` in the ids."""
    first = _begin(ids, start, tokenizer)
    if end not in ids[first:]:
        raise _unusable(tokenizer, "does not end every answer with one special token")
    return first, ids.index(end, first) + 1


def _begin(ids: list[int], start: list[int], tokenizer: Any) -> int:
    """Return where in the ids the answer to the prompt `start` begins."""
    same = next(
        (i for i, pair in enumerate(zip(ids, start, strict=False)) if len({*pair}) > 1), None
    )
    if same is None:
        same = min(len(ids), len(start))
    # A space at the end may be part of the answer's first token.
    if tokenizer.decode(start[same:]).strip():
        raise _unusable(tokenizer, "does not begin an answer as it asks for one")
    return same


def _render(
    conversations: Sequence[Sequence[Message]], tokenizer: Any, asks: bool
) -> list[list[int]]:
    """Return the tokens of conversations; with `asks` they end where an answer is to begin."""
    try:
        template = tokenizer.get_chat_template()
    except ValueError:
        raise InputError(
            f"template.format: the tokenizer of {tokenizer.name_or_path} has no chat template; "
            "name the instruction-tuned model, or set template.format to paper"
        ) from None
    if re.search(r"\bstrftime_now\b", template):
        template = f"{{%- macro strftime_now(_) -%}}{DAY}{{%- endmacro -%}}{template}"
    try:
        ids: list[list[int]] = tokenizer.apply_chat_template(
            [list(messages) for messages in conversations],
            chat_template=template,
            add_generation_prompt=asks,
            sanitize_control_tokens=True,
            return_dict=False,
        )
    except Exception as error:  # a template is a program and may raise anything
        raise _unusable(tokenizer, f"refuses a conversation ({error})") from None
    return ids


def _unusable(tokenizer: Any, why: str) -> InputError:
    return InputError(
        f"template.format: the chat template of {tokenizer.name_or_path} {' '.join(why.split())}"
        f"{REMEDY}"
    )
