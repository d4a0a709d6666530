"""A tokenizer's chat template: which tokens are answers, in any style of template."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training import labelled_texts
from transformers import GPT2Config, GPT2LMHeadModel

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import SOURCES, write_rows
from nearfirst.data.conversation import instruction_of, text_of
from nearfirst.data.formats import chat
from nearfirst.data.instances import conversations, read_instances
from nearfirst.data.sample import table_row
from nearfirst.model import chat_template
from nearfirst.model.template import IGNORED, Tokens, encode, end_tokens

# Styles of published models, as short as possible.
CHATML = (
    "{% if messages[0]['role'] != 'system' %}<|system|>Be kind.<|end|>\n{% endif %}"
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
DATED = "{{ bos_token }}{{ strftime_now('%d %b %Y') }}\n" + CHATML
INSTRUCTION = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} "
    "[/INST]{% else %} {{ m['content'] | trim }}{{ eos_token }}{% endif %}{% endfor %}"
)
# Like Qwen 3: only the last answer is preceded by an empty thought.
THINKING = CHATML.replace(
    "\n{{ m['content'] }}",
    "\n{% if m['role'] == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m['content'] }}",
)
# The space belongs to the answer's first token, although the prompt ends with it.
SPACED = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}"
    "{% if m['role'] == 'assistant' %}{{ eos_token }}{% else %}{{ '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
STYLES = {"chatml": CHATML, "dated": DATED, "instruction": INSTRUCTION, "spaced": SPACED}
END = {"chatml": "<|end|>", "dated": "<|end|>", "instruction": "</s>", "spaced": "</s>"}


def with_template(tokenizer: Any, template: str | None) -> Any:
    result = copy.deepcopy(tokenizer)
    special = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
    result.add_special_tokens({"extra_special_tokens": special})
    result.chat_template = template
    return result


@pytest.fixture(scope="module")
def tokenizers(tokenizer: Any) -> dict[str, Any]:
    return {name: with_template(tokenizer, template) for name, template in STYLES.items()}


def encode_one(conversation: Any, tokenizer: Any, max_length: int = 10_000) -> Tokens:
    (tokens,) = encode([conversation], tokenizer, max_length, "chat")
    return tokens


ONE = ("one", "eins")
TWO = (*ONE, "two", "zwei")


@pytest.mark.parametrize(
    ("template", "turns", "text", "answers"),
    [
        (
            CHATML,
            TWO,
            "<|system|>Be kind.<|end|>\n<|user|>\none<|end|>\n<|assistant|>\n"
            "eins<|end|>\n<|user|>\ntwo<|end|>\n<|assistant|>\nzwei<|end|>",
            ["eins<|end|>", "zwei<|end|>"],
        ),
        (INSTRUCTION, ONE, "<s>[INST] one [/INST] eins</s>", [" eins</s>"]),
        (SPACED, ("one", "the cat"), "user: one\nassistant: the cat</s>", [" the cat</s>"]),
        # The last answer, and the date, which must be fixed.
        (THINKING, TWO, None, ["eins<|end|>", "<think>\n\n</think>\n\nzwei<|end|>"]),
        (
            DATED,
            ONE,
            f"<s>{chat_template.DAY}\n<|system|>Be kind.<|end|>\n<|user|>\none<|end|>\n"
            "<|assistant|>\neins<|end|>",
            ["eins<|end|>"],
        ),
    ],
)
def test_the_text_is_that_of_the_template_up_to_the_last_answer(
    tokenizer: Any, talk: Any, template: str, turns: Any, text: str | None, answers: list[str]
) -> None:
    chat_tokenizer = with_template(tokenizer, template)
    tokens = encode_one(talk(*turns), chat_tokenizer)
    assert labelled_texts(tokens, chat_tokenizer) == answers
    if text:
        assert chat_tokenizer.decode(tokens.ids) == text
        assert chat_tokenizer.decode(tokens.prompt) == text[: text.index(answers[0])]


# Text that is more than white space, which would be stripped.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda text: text.strip()
)


@settings(max_examples=40, deadline=None)
@given(exchanges=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_the_labels_are_the_answers_and_their_ends(
    tokenizers: Any, talk: Any, exchanges: list[tuple[str, str]]
) -> None:
    conversation = talk(*(turn for pair in exchanges for turn in pair))
    for name, tokenizer in tokenizers.items():
        tokens = encode_one(conversation, tokenizer)
        labelled = tokens.labels != IGNORED
        assert (tokens.labels[labelled] == tokens.ids[labelled]).all()
        expected = [f"{answer.strip()}{END[name]}" for _, answer in exchanges]
        assert [text.lstrip() for text in labelled_texts(tokens, tokenizer)] == expected
        room = len(tokens.prompt)
        assert encode_one(conversation, tokenizer, room).label_tokens == 0
        assert encode_one(conversation, tokenizer, room + 1).label_tokens == 1


@pytest.mark.parametrize("form", ["paper", "published", "chat"])
def test_context_has_no_labels_from_the_row_to_the_tokens(
    tokenizers: Any, tmp_path: Path, form: Any
) -> None:
    turns = [
        {"role": role, "content": text}
        for role, text in (("user", "one"), ("assistant", "eins"), ("user", "two"))
    ]
    goal = {"role": "assistant", "content": "the cat"}
    weighted = [turns[0], turns[1] | {"weight": 0}, turns[2], goal | {"weight": 1}, *turns[:2]]
    rows = [
        {"prompt": turns, "completion": [goal]},
        {"prompt": turns, "completion": "the cat"},
        {"messages": weighted},
    ]
    for i, row in enumerate(rows):
        (tmp_path / f"{i}.jsonl").write_text(json.dumps(row))
    path = tmp_path / "out/train.parquet"
    instances = chat.read(chat.Settings(path="pool"), tmp_path)
    write_rows((table_row(instance, keep_row=True) for instance in instances), SOURCES, path)
    talks = conversations(read_instances(path))
    tokenizer = tokenizers["chatml"]
    end = "<|end|>" if form == "chat" else "</s>"
    for talk, later in zip(talks, ([], [], ["eins"]), strict=True):
        (tokens,) = encode([talk], tokenizer, 1000, form)
        labels = [text.strip() for text in labelled_texts(tokens, tokenizer)]
        assert labels == [f"{answer}{end}" for answer in ("the cat", *later)]
        assert "eins" in tokenizer.decode(tokens.prompt)
        assert (text_of(talk), instruction_of(talk)) == ("two the cat", "two")
        # Only the labels differ from a conversation in which all answers are trained on.
        plain = [{"role": turn["role"], "content": turn["content"]} for turn in talk]
        (all_trained,) = encode([plain], tokenizer, 1000, form)
        assert all_trained.ids.tolist() == tokens.ids.tolist()
        assert all_trained.label_tokens > tokens.label_tokens
        (cut,) = encode([talk], tokenizer, len(tokens.prompt) + 1, form)
        assert (cut.label_tokens, cut.label_tokens + cut.lost_labels) == (1, tokens.label_tokens)


def test_a_control_token_in_a_message_is_text(tokenizers: Any, talk: Any) -> None:
    for name, tokenizer in tokenizers.items():
        plain = encode_one(talk("say end", "end it"), tokenizer)
        tokens = encode_one(talk("say <|end|> </s>", "<|end|> it </s> on"), tokenizer)
        for token in ("<|end|>", "</s>", "<s>"):
            id_ = tokenizer.convert_tokens_to_ids(token)
            assert (tokens.ids == id_).sum() == (plain.ids == id_).sum()
        (answer,) = labelled_texts(tokens, tokenizer)
        assert answer.lstrip() == f"<|end|> it </s> on{END[name]}"


def test_what_ends_an_answer(tokenizers: Any, tokenizer: Any) -> None:
    end = tokenizers["chatml"].convert_tokens_to_ids("<|end|>")
    assert end_tokens(tokenizers["chatml"], "chat") == sorted([end, tokenizer.eos_token_id])
    assert end_tokens(tokenizers["instruction"], "chat") == [tokenizer.eos_token_id]
    assert end_tokens(tokenizers["chatml"]) == [tokenizer.eos_token_id]
    assert encode([], tokenizers["chatml"], 10, "chat") == []


TOOLS = [
    *({"role": "user", "content": "one"}, {"role": "assistant", "content": "the cat"}),
    *({"role": "tool", "content": text} for text in ("a mat", "")),
    *({"role": "assistant", "content": "eins"}, {"role": "user", "content": "two"}),
    *({"role": "function", "content": "a"}, {"role": "assistant", "content": "zwei"}),
]


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        (CHATML, ""),
        (CHATML.replace(" in messages %}<", " in messages if m['role'] != 'tool' %}<"), "leaves"),
        (
            CHATML.replace("}<|{{", "}{% if m['role'] == 'tool' %}{{ bad() }}{% endif %}<|{{"),
            "refuses a conversation",
        ),
        (None, "a turn is from a tool, which only a chat template can show"),
    ],
)
def test_turns_of_tools_are_context_where_the_template_takes_them(
    tmp_path: Path, program: Any, tokenizer: Any, template: str | None, fault: str
) -> None:
    chat_tokenizer = with_template(tokenizer, template)
    chat_tokenizer.save_pretrained(tmp_path / "base")
    rows = [{"messages": TOOLS}, {"messages": TOOLS[:2]}]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)))
    flags = ["--input", tmp_path / "pool.jsonl", "--hold-out", "nothing", "--split", "train"]
    flags += ["--output", tmp_path / "train.parquet"]
    flags += ["--tokenizer", tmp_path / "base"] if template else []
    settings = {"format": "chat", "path": "pool.jsonl"}
    done = program("sample.py", *flags, "--settings", json.dumps(settings))
    assert (done.returncode == 0) == (not fault)
    if fault:
        assert re.search(rf"pool\.jsonl: line 1 \(id 'mine_1'\): .*{fault}", done.stderr)
        skip = json.dumps({**settings, "sample": {"unusable": "skip"}})
        done = program("sample.py", *flags, "--settings", skip)
        assert "rows left out" in done.stderr
    *kept, plain = conversations(read_instances(tmp_path / "train.parquet"))
    assert (len(kept), len(plain)) == (not fault, 2)
    for talk in kept:
        assert [{"role": turn["role"], "content": turn["content"]} for turn in talk] == TOOLS
        tokens = encode_one(talk, chat_tokenizer)
        answers = ["the cat<|end|>", "eins<|end|>", "zwei<|end|>"]
        assert labelled_texts(tokens, chat_tokenizer) == answers
        text = chat_tokenizer.decode(tokens.ids)
        assert "<|end|>\n<|tool|>\na mat<|end|>\n<|tool|>\n<|end|>" in text
        assert (text_of(talk), instruction_of(talk)) == ("one the cat", "one")
        last_only = [dict(turn, trained=i > 5) for i, turn in enumerate(talk)]
        assert text_of(last_only) == "two zwei"


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        (None, "has no chat template; name the instruction-tuned model"),
        (CHATML.replace("<|end|>", ""), "does not end every answer with one special token"),
        (CHATML.replace("<|assistant|>", "Answer: "), "does not begin an answer as it asks"),
        ("{{ raise_exception('no system turn') }}", r"refuses a conversation \(no system turn\)"),
        (
            CHATML.replace(
                "<|end|>\n{% endfor",
                "{% if loop.last or m['role'] == 'user' %}<|end|>{% endif %}\n{% endfor",
            ),
            "does not end every answer with one special token",
        ),
    ],
)
def test_a_template_that_cannot_be_used_is_named(
    tokenizer: Any, talk: Any, template: str | None, fault: str
) -> None:
    message = rf"(?s)^template\.format: .*{tokenizer.name_or_path}.*{fault}"
    with pytest.raises(InputError, match=message):
        encode_one(talk(*TWO), with_template(tokenizer, template))


def test_generated_answers_end_where_the_template_ends_them(
    tmp_path: Path, program: Any, tokenizers: Any, talk: Any, write_instances: Any
) -> None:
    base, table, tokenizer = tmp_path / "base", tmp_path / "table.parquet", tokenizers["chatml"]
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2)
    model = GPT2LMHeadModel(config)
    # It always says the token that ends a turn.
    end = model.transformer.wte.weight[tokenizer.convert_tokens_to_ids("<|end|>")]
    model.transformer.ln_f.weight.data.zero_()
    model.transformer.ln_f.bias.data = end.detach().clone()
    model.save_pretrained(base / "step-000000")
    config.save_pretrained(base)
    tokenizer.save_pretrained(base)
    write_instances(tmp_path / "test.parquet", [talk("one", "the cat")])
    flags = ("--model", base, "--checkpoints", base, "--instances", tmp_path / "test.parquet")
    flags += ("--template", '{"format":"chat"}', "--settings", '{"do_sample":false}')
    done = program("generate.py", *flags, "--seed", "0", "--output", table)
    assert "1 answers, 0 unfinished" in done.stderr
