"""The chat template against text written out by hand."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, trainers
from transformers import PreTrainedTokenizerFast

from nearfirst.model.template import IGNORED, Tokens, encode, prompts


def one(talk: list[dict[str, str]], tokenizer: Any, max_length: int = 1024) -> Tokens:
    (tokens,) = encode([talk], tokenizer, max_length)
    return tokens


def answers(tokens: Tokens, tokenizer: Any) -> list[str]:
    """The texts of the runs of labels, each of which must end in EOS."""
    found, run = [], []
    for id_ in tokens.labels[tokens.labels != IGNORED].tolist():
        run.append(id_)
        if id_ == tokenizer.eos_token_id:
            found.append(tokenizer.decode(run, clean_up_tokenization_spaces=False))
            run = []
    assert run == []
    return found


@pytest.fixture(scope="module")
def sentencepiece() -> PreTrainedTokenizerFast:
    """A tokenizer built as Llama 2's: it puts a ▁ before the text, and ▁ for every space."""
    core = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    core.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    core.train_from_iterator(
        ["User: what is it\nAssistant: a cat", "abcdefghijklmnopqrstuvwxyz 0123456789+?"],
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<unk>", "<s>", "</s>", *byte_tokens],
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def test_one_exchange_is_the_template(tokenizer: Any, talk: Any) -> None:
    tokens = one(talk("Add 2 and 2.", "4"), tokenizer)
    assert tokenizer.decode(tokens.ids) == "<s>User: Add 2 and 2.\nAssistant: 4</s>"
    assert tokenizer.decode(tokens.labels[tokens.labels != IGNORED]) == " 4</s>"


def test_labels_are_the_ids_at_their_own_positions(tokenizer: Any, talk: Any) -> None:
    tokens = one(talk("Add 2 and 2.", "4"), tokenizer)
    prompt = tokenizer("User: Add 2 and 2.\nAssistant:", add_special_tokens=False)["input_ids"]
    first = 1 + len(prompt)
    assert (tokens.labels[:first] == IGNORED).all()
    assert tokens.labels[first:].tolist() == tokens.ids[first:].tolist()
    assert tokens.ids[:first].tolist() == [tokenizer.bos_token_id, *prompt]
    assert tokens.label_tokens == len(tokens.ids) - first


def test_every_answer_of_a_dialogue_and_its_eos_carry_labels(tokenizer: Any, talk: Any) -> None:
    tokens = one(talk("one", "eins", "two", "zwei", "three", "drei"), tokenizer)
    assert tokenizer.decode(tokens.ids) == (
        "<s>User: one\nAssistant: eins</s>"
        "User: two\nAssistant: zwei</s>"
        "User: three\nAssistant: drei</s>"
    )
    assert answers(tokens, tokenizer) == [" eins</s>", " zwei</s>", " drei</s>"]
    unlabelled = tokens.ids[tokens.labels == IGNORED]
    assert tokenizer.decode(unlabelled) == (
        "<s>User: one\nAssistant:User: two\nAssistant:User: three\nAssistant:"
    )


def test_non_ascii_survives(tokenizer: Any, talk: Any) -> None:
    tokens = one(talk("Übersetze 猫 😀", "кошка\u00a0— ¡sí!"), tokenizer)
    assert tokenizer.decode(tokens.ids, clean_up_tokenization_spaces=False) == (
        "<s>User: Übersetze 猫 😀\nAssistant: кошка\u00a0— ¡sí!</s>"
    )


def test_conversations_do_not_mix(tokenizer: Any, talk: Any) -> None:
    talks = [talk("a", "b"), talk("c", "d", "e", "f"), talk("g", "h")]
    together = encode(talks, tokenizer, 1024)
    for tokens, alone in zip(together, talks, strict=True):
        expected = one(alone, tokenizer)
        assert tokens.ids.tolist() == expected.ids.tolist()
        assert tokens.labels.tolist() == expected.labels.tolist()
    assert encode([], tokenizer, 1024) == []


def test_tail_is_cut(tokenizer: Any, talk: Any) -> None:
    whole = one(talk("the cat", "sat on a mat"), tokenizer)
    assert whole.label_tokens > 3
    for cut in range(1, 4):
        tokens = one(talk("the cat", "sat on a mat"), tokenizer, len(whole.ids) - cut)
        assert tokens.ids.tolist() == whole.ids[:-cut].tolist()
        assert tokens.labels.tolist() == whole.labels[:-cut].tolist()
        assert tokens.label_tokens == whole.label_tokens - cut
    assert one(talk("the cat", "sat on a mat"), tokenizer, len(whole.ids)).ids.tolist() == (
        whole.ids.tolist()
    )


def test_a_prompt_that_fills_the_length_leaves_no_label(tokenizer: Any, talk: Any) -> None:
    prompt = 1 + len(tokenizer("User: the cat\nAssistant:", add_special_tokens=False)["input_ids"])
    assert one(talk("the cat", "sat"), tokenizer, prompt).label_tokens == 0
    assert one(talk("the cat", "sat"), tokenizer, prompt + 1).label_tokens == 1
    tokens = one(talk("the cat " * 50, "sat"), tokenizer, 20)
    assert len(tokens.ids) == 20
    assert tokens.label_tokens == 0


def test_a_sentencepiece_tokenizer_doubles_no_space(
    sentencepiece: PreTrainedTokenizerFast, talk: Any
) -> None:
    tokens = one(talk("what is 2+2?", "4 cats"), sentencepiece)
    pieces = sentencepiece.convert_ids_to_tokens(tokens.ids.tolist())
    written = "".join(pieces).replace("<0x0A>", "\n")
    assert written == "<s>▁User:▁what▁is▁2+2?\nAssistant:▁4▁cats</s>"
    assert answers(tokens, sentencepiece) == [" 4 cats</s>"]


# No surrogates (they are no text), and no text that is itself a special token.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(
    lambda text: "<s>" not in text and "</s>" not in text
)


@settings(max_examples=150, deadline=None)
@given(exchanges=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_decoding_the_labels_gives_the_answers(
    tokenizer: Any, talk: Any, exchanges: list[tuple[str, str]]
) -> None:
    tokens = one(talk(*(turn for pair in exchanges for turn in pair)), tokenizer, 100_000)
    assert answers(tokens, tokenizer) == [f" {answer}</s>" for _, answer in exchanges]


def test_a_literal_special_token_in_a_text_is_text(tokenizer) -> None:
    talk = [{"role": "user", "content": "end with </s>"}, {"role": "assistant", "content": "<s>"}]
    (tokens,) = encode([talk], tokenizer, 100)
    assert (tokens.ids == tokenizer.eos_token_id).sum() == 1
    assert (tokens.ids == tokenizer.bos_token_id).sum() == 1
    assert tokenizer.decode(tokens.ids) == "<s>User: end with </s>\nAssistant: <s></s>"


def test_a_prompt_is_what_comes_before_the_first_answer(tokenizer: Any, talk: Any) -> None:
    talks = [talk("one", "eins", "two", "zwei"), talk("Übersetze 猫 </s>", ""), talk("", "a")]
    found = prompts(talks, tokenizer)
    assert [tokenizer.decode(ids) for ids in found] == [
        "<s>User: one\nAssistant:",
        "<s>User: Übersetze 猫 </s>\nAssistant:",
        "<s>User: \nAssistant:",
    ]
    assert not any(tokenizer.eos_token_id in ids for ids in found)
    assert prompts([], tokenizer) == []


@settings(max_examples=100, deadline=None)
@given(exchanges=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3))
def test_what_encode_makes_begins_with_the_prompt(
    tokenizer: Any,
    sentencepiece: PreTrainedTokenizerFast,
    talk: Any,
    exchanges: list[tuple[str, str]],
) -> None:
    conversation = talk(*(turn for pair in exchanges for turn in pair))
    for kind in (tokenizer, sentencepiece):
        (prompt,) = prompts([conversation], kind)
        tokens = one(conversation, kind, 100_000)
        first = int((tokens.labels != IGNORED).argmax())
        assert prompt.dtype == tokens.ids.dtype
        assert prompt.tolist() == tokens.ids[:first].tolist()
        # A length that the prompt fills is the least that leaves no room for an answer.
        assert one(conversation, kind, len(prompt)).label_tokens == 0
        assert one(conversation, kind, len(prompt) + 1).label_tokens == 1
