"""The chat template of a model's tokenizer: which tokens are answers."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import TOOLS, Message, is_trained

REMEDY = "; set template.format to paper"
DAY = "26 Jul 2024"
"""Date for templates that ask for one: tokens must not depend on the day of a run."""


def encode(
    conversations: Sequence[Sequence[Message]], tokenizer: Any
) -> Iterator[tuple[list[int], list[bool]]]:
    """Yield the ids of each conversation, and a mask of those that carry a label.

    Labels are on the tokens of each answer that is trained on and on the token that ends its turn.
    An answer begins where the template's `add_generation_prompt` ends, so training sees what
    generation starts from. White space around an answer is dropped, as in most templates:
    otherwise one token could span the end of the prompt and the start of the answer. Control tokens
    in a message are plain text. The ids end with the last answer.

    Raises InputError if the tokenizer has no template, or if the template refuses a conversation or
    does not mark where answers begin and end.
    """
    end = end_of_turn(tokenizer)
    stripped = [
        [Message(role=turn["role"], content=turn["content"].strip()) for turn in messages]
        for messages in conversations
    ]
    encoded = _render(stripped, tokenizer, generate=False)
    answers = [
        [turn for turn, message in enumerate(messages) if message["role"] == "assistant"]
        for messages in conversations
    ]
    asked = [m[:turn] for m, turns in zip(stripped, answers, strict=True) for turn in turns]
    prompts = iter(_render(asked, tokenizer, generate=True))
    for messages, ids, turns in zip(conversations, encoded, answers, strict=True):
        is_label = [False] * len(ids)
        stop = 0
        for turn in turns:
            start, stop = _find_answer(ids, next(prompts), end, tokenizer)
            is_label[start:stop] = [is_trained(messages[turn])] * (stop - start)
        yield ids[:stop], is_label[:stop]


def refusal(messages: Sequence[Message], tokenizer: Any) -> str:
    """Return why the template refuses a conversation or drops a tool's turn; "" if it does not."""
    variants = [
        [
            *messages[:i],
            Message(role=turn["role"], content=f"{turn['content']} more"),
            *messages[i + 1 :],
        ]
        for i, turn in enumerate(messages)
        if turn["role"] in TOOLS
    ]
    try:
        (original, _), *changed = encode([messages, *variants], tokenizer)
    except InputError as error:
        return str(error).removesuffix(REMEDY)
    if any(ids == original for ids, _ in changed):
        return f"the chat template of {tokenizer.name_or_path} leaves out the turn of a tool"
    return ""


def end_of_turn(tokenizer: Any) -> int:
    """Return the token that ends an answer: the first special token after its text.

    Raises InputError if there is none, if not every answer ends in it, or as `encode` does.
    """
    talk: list[Message] = [
        {"role": ("user", "assistant")[turn % 2], "content": word}
        for turn, word in enumerate(("one", "two", "three", "four"))
    ]
    ids, longer_ids = _render([talk[:2], talk], tokenizer, generate=False)
    (prompt,) = _render([talk[:1]], tokenizer, generate=True)
    first = _find_answer_start(ids, prompt, tokenizer)
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    for i in range(first, len(ids)):
        if ids[i] in special and "two" in tokenizer.decode(ids[first:i]):
            start, stop = _find_answer(longer_ids, prompt, ids[i], tokenizer)
            if "three" in tokenizer.decode(longer_ids[start:stop]):
                break
            return ids[i]
    raise _unusable(tokenizer, "does not end every answer with one special token")


def _find_answer(ids: list[int], prompt: list[int], end: int, tokenizer: Any) -> tuple[int, int]:
    """Return the bounds [start, stop) of the answer to a prompt, up to the token `end`."""
    start = _find_answer_start(ids, prompt, tokenizer)
    if end not in ids[start:]:
        raise _unusable(tokenizer, "does not end every answer with one special token")
    return start, ids.index(end, start) + 1


def _find_answer_start(ids: list[int], prompt: list[int], tokenizer: Any) -> int:
    start = 0
    while start < min(len(ids), len(prompt)) and ids[start] == prompt[start]:
        start += 1
    # The prompt's last space may be part of the answer's first token.
    if tokenizer.decode(prompt[start:]).strip():
        raise _unusable(tokenizer, "does not begin an answer as it asks for one")
    return start


def _render(
    conversations: Sequence[Sequence[Message]], tokenizer: Any, generate: bool
) -> list[list[int]]:
    """Return the tokens of conversations; with `generate` they end where an answer would begin."""
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
            add_generation_prompt=generate,
            sanitize_control_tokens=True,
            return_dict=False,
        )
    except Exception as error:  # a template is a program and may raise anything
        raise _unusable(tokenizer, f"refuses a conversation ({error})") from None
    return ids


def _unusable(tokenizer: Any, fault: str) -> InputError:
    return InputError(
        f"template.format: the chat template of {tokenizer.name_or_path} {' '.join(fault.split())}"
        f"{REMEDY}"
    )
