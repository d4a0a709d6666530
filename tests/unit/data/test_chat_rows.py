"""Rows of the user's own data: their forms, what is used of them, and what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest
from conversations import refusal, texts
from own_files import EXCHANGE, SETTINGS, TALK, WRITERS, Row, in_every_file, lines, refused

from nearfirst.data.conversation import is_trained
from nearfirst.data.formats import chat
from nearfirst.data.inventory import take_inventory
from nearfirst.data.sample import table_row

NAMES = {"role": "from", "content": "value"}
FORMS: list[tuple[Row, list[tuple[str, str]]]] = [
    ({"messages": TALK}, EXCHANGE),
    (
        {"messages": [{"role": "system", "content": "In French."}, *TALK]},
        [("user", "In French.\n\nOù?"), EXCHANGE[1]],
    ),
    ({"messages": [*TALK, *TALK]}, EXCHANGE * 2),
    ({"conversations": [{NAMES[key]: turn[key] for key in turn} for turn in TALK]}, EXCHANGE),
    ({"prompt": "Où?", "completion": "Là."}, EXCHANGE),
    ({"prompt": TALK[:1], "completion": TALK[1:]}, EXCHANGE),
    ({"prompt": [*TALK, *TALK[:1]], "completion": "Là."}, EXCHANGE * 2),
    ({"conversations": TALK}, EXCHANGE),
    ({"conversations": ["Où?", "Là.", "Où?", "Là."]}, EXCHANGE * 2),
    ({"messages": [{**TALK[0], "role": "prompter"}, TALK[1]]}, EXCHANGE),
    (
        {"instruction": "Translate.", "input": "there", "output": "là"},
        [("user", "Translate.\n\nthere"), ("assistant", "là")],
    ),
    (
        {"instruction": "Smile.", "input": "", "output": ":)"},
        [("user", "Smile."), ("assistant", ":)")],
    ),
    ({"prompt": "x", "completion": "y", "messages": TALK}, EXCHANGE),
]


@in_every_file
@pytest.mark.parametrize(("row", "expected"), FORMS)
def test_every_form_in_every_kind_of_file(
    tmp_path: Path, file: str, row: Row, expected: list[tuple[str, str]]
) -> None:
    row = {**row, "weight": 0.5, "tags": ["a"]}
    path = WRITERS[file](tmp_path / file, row, row)
    instances = list(chat.read(SETTINGS, path))
    assert [texts(instance) for instance in instances] == [expected] * 2
    assert [i.id for i in instances] == ["mine_1", "mine_2"]
    assert {(i.task, i.source, i.references) for i in instances} == {("mine", "", ())}
    # Other columns and the system turn are kept.
    assert [i.row for i in instances] == [row, row]


def turn(role: str, content: object, **more: Any) -> Row:
    return {"role": role, "content": content, **more}


def answer(content: object, **more: Any) -> Row:
    return turn("assistant", content, **more)


def shared(sender: str, value: str, weight: float | None) -> Row:
    return {"from": sender, "value": value, "weight": weight}


Q, R, A, B = turn("user", "q"), turn("user", "r"), answer("a"), answer("b")
TEXT_Q, TEXT_A = ([{"type": "text", "text": text}] for text in "qa")
SHAREGPT = [
    *(shared("human", "q", None), shared("gpt", "a", 0.0)),
    *(shared("human", "r", None), shared("gpt", "b", 1.0)),
]
SYSTEM_TURNS = [
    *(turn("developer", "S"), Q, turn("system", "T"), R),
    *(turn("model", "a"), answer(""), B),
]
ALPACA = {"instruction": "r", "input": "s", "output": "b"}
UNUSED = {"tools": [{"name": "f"}], "images": ["0.png"], "meta": {"a": None}, "chosen": "c"}


@in_every_file
@pytest.mark.parametrize(
    ("row", "trained"),
    [
        ({"prompt": [Q, A, R], "completion": [B]}, [False, True]),
        ({"messages": [Q, answer("a", weight=0), R, answer("b", weight=1)]}, [False, True]),
        (
            {
                "messages": [
                    *(Q, answer("a", trainable=True)),
                    *(R, turn("Assistant", "b", train_on_turn=False)),
                ]
            },
            [True, False],
        ),
        ({"messages": [turn("user", "q", masked=True), answer("a", masked=False)]}, [True]),
        ({"conversations": SHAREGPT}, [False, True]),
    ],
)
def test_which_answers_are_trained_on(
    tmp_path: Path, file: str, row: Row, trained: list[bool]
) -> None:
    (instance,) = chat.read(SETTINGS, WRITERS[file](tmp_path / file, row))
    assert (instance.fault, instance.dropped, instance.unused) == ("", 0, [])
    assert [content for _, content in texts(instance)] == ["q", "a", "r", "b"][: 2 * len(trained)]
    assert [is_trained(message) for message in instance.messages[1::2]] == trained
    (reference,) = table_row(instance, keep_row=False)["references"]  # type: ignore[misc]
    assert reference == "ab"[trained.index(True)]


@in_every_file
@pytest.mark.parametrize(
    ("row", "contents", "unused"),
    [
        (
            {"messages": [turn("user", "q", loss=1.0), answer("a", loss=None)]},
            ["q", "a"],
            ["key 'loss' of turns that are not the assistant's"],
        ),
        (
            {**ALPACA, "system": "S", "history": [["q", "a"]]},
            ["S\n\nq", "a", "r\n\ns", "b"],
            [],
        ),
        ({"messages": [turn("system", "S"), Q, A], "system": "S\n"}, ["S\n\nq", "a"], []),
        ({"prompt": [turn("system", "S")], "completion": [Q, A]}, ["S\n\nq", "a"], []),
        ({"messages": SYSTEM_TURNS}, ["S\n\nq\n\nT\n\nr", "a\n\nb"], []),
        ({"messages": [turn("user", TEXT_Q), answer(TEXT_A)]}, ["q", "a"], []),
        (
            {"messages": [Q, answer("a", reasoning_content="So.", tool_calls=None)], **UNUSED},
            ["q", "a"],
            [
                *("column 'tools'", "column 'images'", "column 'chosen'"),
                "key 'reasoning_content' of turns",
            ],
        ),
        ({"messages": [Q, A], "history": [["q", "a"]]}, ["q", "a"], ["column 'history'"]),
    ],
)
def test_which_content_is_used(
    tmp_path: Path, file: str, row: Row, contents: list[str], unused: list[str]
) -> None:
    (instance,) = chat.read(SETTINGS, WRITERS[file](tmp_path / file, row))
    assert (instance.fault, instance.dropped, instance.unused) == ("", 0, unused)
    assert [content for _, content in texts(instance)] == contents
    *context, last = (is_trained(message) for message in instance.messages[1::2])
    assert (last, any(context)) == (True, False)


def test_trailing_turns_without_an_answer_are_counted(tmp_path: Path) -> None:
    tails = ([R], [R, turn("assistant", None)], [turn("system", "S")], [R, R, turn("system", "S")])
    path = lines(tmp_path / "pool.jsonl", *({"messages": [*TALK, *tail]} for tail in tails))
    instances = list(chat.read(SETTINGS, path))
    assert [(texts(instance), instance.dropped) for instance in instances] == [
        (EXCHANGE, dropped) for dropped in (1, 2, 1, 2)
    ]


def test_optional_columns(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"id": "a", "kind": "where", "source": "book", "references": ["Là.", "Ici."]},
        {"id": "a", "kind": "where", "references": "Ici."},
        {"id": 7.0, "kind": 3, "source": None, "references": None},
        {"id": None, "kind": "x", "notes": [1]},
        dict.fromkeys(("id", "source", "references", "system", "tools"), float("nan")),
    ]
    rows[-1]["kind"] = "x"
    path = lines(tmp_path / "pool.jsonl", *({"messages": TALK, **row} for row in rows))
    instances = list(chat.read(chat.Settings(path="pool", task_column="kind"), path))
    assert [(i.id, i.task, i.source, i.references) for i in instances] == [
        ("a", "where", "book", ("Là.", "Ici.")),
        ("a#2", "where", "", ("Ici.",)),
        ("7", "3", "", ()),
        ("mine_4", "x", "", ()),
        ("mine_5", "x", "", ()),
    ]
    assert [instance.unused for instance in instances[3:]] == [["column 'notes'"], []]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"messages": "q"}, "'messages' is str, not a list of turns"),
        ({"messages": [Q, "a"]}, "a turn of 'messages' is str, not an object"),
        ({"messages": [{"role": "user", "text": "q"}]}, "must have 'role' and 'content', or"),
        ({"messages": [Q, {"role": "tool", "content": "3"}]}, "no question with an"),
        ({"messages": [{**Q, "role": "tool"}, A]}, "begins with a turn of tool"),
        ({"messages": [{**Q, "role": "critic"}, A]}, "a turn is from 'critic'; expected"),
        ({"messages": [{"role": "user", "content": [{"image": "q"}]}]}, "parts that are not text"),
        ({"messages": [{"role": "user", "content": 3}]}, "a turn's content is int, not text"),
        ({"prompt": 3, "completion": "a"}, "'prompt' is int, not text"),
        ({"messages": [Q, A], "id": 2.5}, "'id' is float, not text or a whole number"),
        ({"messages": [Q, A], "references": [1]}, "'references' must be an answer or a"),
        ({"messages": [Q, A], "task": None}, "column 'task' is empty"),
        ({"messages": None}, "(id 'mine_2'): no question with an answer"),
        ({"prompt": "q", "completion": " "}, "no question with an answer"),
        ({"messages": [A, Q, A]}, "begins with a turn of assistant"),
        ({"messages": [Q, {**A, "content": None}, Q, A]}, "the last answer is"),
        ({"messages": [Q, {**A, "tool_calls": [{"id": 1}]}]}, "'tool_calls': tool calls are"),
        ({"messages": [Q, {**A, "weight": 0}]}, "no turn is trained on"),
        ({"messages": [Q, {**A, "weight": 0.5}]}, "'weight' is 0.5, and only 0 and 1"),
        ({"messages": [Q, {**A, "loss_mask": 0}]}, "'loss_mask', which may say whether it"),
        ({"messages": [Q, {**A, "train": False}, A]}, "two assistant turns in a row"),
        ({"prompt": [Q, A], "completion": "b"}, "two assistant turns in a row"),
        ({"prompt": "q", "completion": [Q, A]}, "map its column to 'messages' (`columns`)"),
        ({"prompt": [Q], "completion": [turn("system", "S"), Q, A]}, "begins with a user turn"),
        ({"instruction": "q", "output": "a", "history": [["q"]]}, "'history' must hold pairs"),
    ],
)
def test_unusable_rows(tmp_path: Path, row: Row, named: str) -> None:
    good: Row = {"task": "t", **{key: "q" for key in row if key not in ("id", "task")}}
    turns = {
        "messages": [Q, A],
        "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}],
        "history": [],
    }
    good |= {key: value for key, value in turns.items() if key in row}
    path = lines(tmp_path / "pool.jsonl", good, {"task": "t", **row})
    message = refused(path, "task")
    assert message.startswith(f"{path}: line 2")
    assert named in message
    settings = chat.Settings(path="pool", task_column="task")
    assert list(take_inventory(chat.read(settings, path), skip_unusable=True).rows) == ["t"]


@in_every_file
def test_columns_are_renamed_as_mapped(tmp_path: Path, file: str) -> None:
    columns = {"question": "prompt", "answer": "response", "key": "id"}
    settings = chat.Settings(path="pool", columns=columns, task_column="question")
    row = {"question": "q", "answer": "a", "key": "k"}

    def write(prefix: str, **row: str) -> Path:
        return WRITERS[file](tmp_path / f"{prefix}_{file}", row)

    (mapped,) = chat.read(settings, write("mapped", **row))
    assert texts(mapped) == [("user", "q"), ("assistant", "a")]
    assert (mapped.id, mapped.task) == ("k", "q")
    assert mapped.row == row
    # What is mapped precedes the other forms.
    both = WRITERS[file](tmp_path / f"both_{file}", {**row, "messages": TALK})
    assert [texts(instance) for instance in chat.read(settings, both)] == [texts(mapped)]
    # A test set may have the new names already, but a pool may not.
    named = write("named", prompt="q", completion="a")
    assert [texts(instance) for instance in chat.read(settings, named, "test")] == [texts(mapped)]
    message = refusal(lambda: chat.read(settings, named))
    assert "no column 'question', which columns maps to 'prompt'; found prompt" in message
    near = write("near", questions="q", answer="a", key="k")
    message = refusal(lambda: chat.read(settings, near, "test"))
    assert message.endswith("found questions, answer, key; did you mean 'questions'?")
    twice = write("twice", **row, prompt="p")
    assert "already has a column 'prompt'" in refusal(lambda: chat.read(settings, twice))
