"""Exchanges, published dialogues, unique ids, and the sources of tasks."""

import pytest
from conversations import texts
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.data.conversation import BEGINS_WITH_ASSISTANT, Instance, dialogue, exchanges
from nearfirst.data.naming import source_of, unique_ids

Turns = list[tuple[str, str]]
ROLES = {role: role for role in ("user", "assistant", "system")}
QUESTION: Turns = [("user", "What is it?"), ("assistant", "A cat.")]


@pytest.mark.parametrize(
    ("turns", "kept"),
    [
        ([], []),
        ([("assistant", "a"), ("user", "q")], []),
        ([("user", "q"), ("user", "r"), ("assistant", "a")], [1, 2]),
        ([("user", "q"), ("assistant", "a"), ("assistant", "b")], [0, 1]),
        ([("user", "q"), ("assistant", " \n"), ("user", "r"), ("assistant", "b")], [2, 3]),
        ([("user", ""), ("assistant", "a"), ("user", "r"), ("assistant", "b")], [2, 3]),
        ([("user", "q"), ("assistant", "a"), ("user", "r"), ("assistant", "b")], [0, 1, 2, 3]),
    ],
)
def test_exchanges_keeps_pairs(turns: Turns, kept: list[int]) -> None:
    messages, dropped = exchanges(turns)
    assert [(m["role"], m["content"]) for m in messages] == [turns[i] for i in kept]
    assert dropped == len(turns) - len(kept)


def parse(*turns: tuple[str, str]) -> Instance:
    published = [{"from": role, "value": content} for role, content in turns]
    return dialogue("a", "t", published, ROLES, "row 1", {})


def test_system_turns_come_before_the_next_question() -> None:
    more = [("system", "Now in verse."), ("user", ""), ("user", "Why?"), ("assistant", "So.")]
    parsed = parse(("system", " Be brief. "), *QUESTION, *more)
    assert texts(parsed) == [
        *(("user", "Be brief.\n\nWhat is it?"), QUESTION[1]),
        *(("user", "Now in verse.\n\nWhy?"), ("assistant", "So.")),
    ]
    assert parsed.dropped == 1  # the empty question
    late = parse(*QUESTION, ("system", "Be brief."))
    assert (texts(late), late.dropped) == (QUESTION, 1)


@pytest.mark.parametrize("system", [[], [("system", "Be brief.")]])
def test_a_dialogue_that_begins_with_the_assistant_is_unusable(system: Turns) -> None:
    parsed = parse(*system, ("assistant", "Hello!"), *QUESTION)
    assert (parsed.messages, parsed.fault) == ([], BEGINS_WITH_ASSISTANT)


@given(st.lists(st.sampled_from(["a", "a#2", "a#3", "a#2#2", "b"]), min_size=1, max_size=8))
def test_ids_are_unique_whatever_the_file_calls_them(ids: list[str]) -> None:
    unique = [i.id for i in unique_ids(Instance(id_, "t", [], 0, "") for id_ in ids)]
    assert len(set(unique)) == len(unique) == len(ids)
    assert all(unique[ids.index(id_)] == id_ for id_ in ids if "#" not in id_)


@pytest.mark.parametrize(
    ("task", "source"),
    [
        ("task851_synthetic_multiply_evens", "synthetic"),
        ("quoref_Guess_Answer", "quoref"),
        ("glue/mrpc:2.0.0", "glue"),
        ("cosmos_qa", "cosmos"),
        ("task12", "task12"),
        ("_", "_"),
    ],
)
def test_the_source_of_a_task(task: str, source: str) -> None:
    assert source_of(task) == source
