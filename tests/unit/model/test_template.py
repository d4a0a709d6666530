"""The paper's template against text written out by hand."""

from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, trainers
from training import labelled_texts
from transformers import PreTrainedTokenizerFast

from nearfirst.model import template
from nearfirst.model.settings import Form
from nearfirst.model.template import IGNORED, Tokens, describe_truncation, encode


def encode_one(
    talk: list[dict[str, str]], tokenizer: Any, max_length: int = 100_000, form: Form = "paper"
) -> Tokens:
    (tokens,) = encode([talk], tokenizer, max_length, form)
    return tokens


@pytest.fixture(scope="module")
def sentencepiece() -> PreTrainedTokenizerFast:
    """A tokenizer like Llama 2's: it puts a ▁ before the text, and replaces every space by ▁."""
    core = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    core.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    special = ["<unk>", "<s>", "</s>", *byte_tokens]
    core.train_from_iterator(
        ["User: what is it\nAssistant: a cat", "abcdefghijklmnopqrstuvwxyz 0123456789+?"],
        trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


@pytest.mark.parametrize(
    ("turns", "whole", "labels"),
    [
        (["Add 2 and 2.", "4"], "<s>User: Add 2 and 2.\nAssistant: 4</s>", " 4</s>"),
        (
            ["one", "eins", "two", "zwei"],
            "<s>User: one\nAssistant: eins</s>User: two\nAssistant: zwei</s>",
            " eins</s> zwei</s>",
        ),
        (
            ["Übersetze 猫 😀", "кошка\u00a0— ¡sí!"],
            "<s>User: Übersetze 猫 😀\nAssistant: кошка\u00a0— ¡sí!</s>",
            " кошка\u00a0— ¡sí!</s>",
        ),
        (["end with </s>", "<s>"], "<s>User: end with </s>\nAssistant: <s></s>", " <s></s>"),
    ],
)
def test_a_conversation_in_the_template(
    tokenizer: Any, talk: Any, turns: list[str], whole: str, labels: str
) -> None:
    tokens = encode_one(talk(*turns), tokenizer)
    assert tokenizer.decode(tokens.ids) == whole
    labelled = tokens.labels != IGNORED
    assert tokenizer.decode(tokens.ids[labelled]) == labels
    assert tokens.labels[labelled].tolist() == tokens.ids[labelled].tolist()
    assert tokens.label_tokens == labelled.sum()
    # Control tokens in a message are plain text.
    assert (tokens.ids == tokenizer.bos_token_id).sum() == 1
    assert (tokens.ids == tokenizer.eos_token_id).sum() == len(turns) / 2
    prompt = whole[: whole.index("Assistant:") + len("Assistant:")]
    assert tokenizer.decode(tokens.prompt) == prompt


def test_a_stream_is_tokenized_a_few_conversations_at_a_time(
    tokenizer: Any, talk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks = [*(talk(f"{i}", f"{i + 1}") for i in range(6)), talk("c", "d", "e", "f")]
    expected = [encode_one(each, tokenizer) for each in talks]
    call, counts = type(tokenizer).__call__, []

    def counting(self: Any, texts: list[str], **options: Any) -> Any:
        counts.append(len(texts))
        return call(self, texts, **options)

    monkeypatch.setattr(type(tokenizer), "__call__", counting)
    monkeypatch.setattr(template, "BLOCK", 3)
    for item, alone in zip(encode(iter(talks), tokenizer, 100), expected, strict=True):
        assert item.ids.tolist() == alone.ids.tolist()
        assert item.labels.tolist() == alone.labels.tolist()
    assert counts == [6, 6, 4]  # a question and an answer each, and two
    assert encode([], tokenizer, 100) == []


def test_the_tail_is_cut(tokenizer: Any, talk: Any) -> None:
    whole = encode_one(talk("the cat", "sat on a mat"), tokenizer)
    assert whole.label_tokens > 3
    for cut in range(len(whole.ids)):
        length = len(whole.ids) - cut
        tokens = encode_one(talk("the cat", "sat on a mat"), tokenizer, length)
        assert tokens.ids.tolist() == whole.ids[:length].tolist()
        assert tokens.labels.tolist() == whole.labels[:length].tolist()
        assert tokens.label_tokens == max(0, whole.label_tokens - cut)
        assert tokens.lost_labels == whole.label_tokens - tokens.label_tokens
    assert describe_truncation([whole, whole]) is None
    cut = encode_one(talk("the cat", "sat on a mat"), tokenizer, 2)
    message = "removes 50.0% of the labels; 1 of 2 instances (50.0%)"
    assert message in str(describe_truncation([whole, cut]))


def pieces(tokens: Tokens, sentencepiece: PreTrainedTokenizerFast) -> str:
    return "".join(sentencepiece.convert_ids_to_tokens(tokens.ids)).replace("<0x0A>", "\n")


def test_a_sentencepiece_tokenizer_doubles_no_space(
    sentencepiece: PreTrainedTokenizerFast, talk: Any
) -> None:
    tokens = encode_one(talk("what is 2+2?", "4 cats"), sentencepiece)
    assert pieces(tokens, sentencepiece) == "<s>▁User:▁what▁is▁2+2?\nAssistant:▁4▁cats</s>"
    assert labelled_texts(tokens, sentencepiece) == [" 4 cats</s>"]


def test_the_segments_of_the_published_code(
    tokenizer: Any, sentencepiece: PreTrainedTokenizerFast, talk: Any
) -> None:
    conversation = talk("what is 2+2?", "4 cats", "one", "a cat")
    tokens = encode_one(conversation, sentencepiece, form="published")
    # The tokenizer puts a ▁ before each segment; `\nAssistant: ` ends with another one.
    assert pieces(tokens, sentencepiece) == (
        "<s>▁User:▁what▁is▁2+2?▁\nAssistant:▁▁4▁cats</s>▁\nUser:▁one▁\nAssistant:▁▁a▁cat</s>"
    )
    assert labelled_texts(tokens, sentencepiece) == [" 4 cats</s>", " a cat</s>"]

    tokens = encode_one(conversation, tokenizer, form="published")
    whole = "<s>User: what is 2+2?\nAssistant: 4 cats</s>\nUser: one\nAssistant: a cat</s>"
    assert tokenizer.decode(tokens.ids) == whole
    assert labelled_texts(tokens, tokenizer) == ["4 cats</s>", "a cat</s>"]
    # The space belongs to the question, not to the first token of the answer.
    assert tokenizer.decode(tokens.prompt) == "<s>User: what is 2+2?\nAssistant: "
