"""The tokens that ROUGE compares: the words of rouge-score, or subwords of any tokenizer."""

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from rouge_score import tokenizers

from nearfirst.common.errors import InputError
from nearfirst.model.tokenizer import load_tokenizer
from nearfirst.score.settings import ScoreSettings

MAX_CACHED = 2**17
"""Words whose tokens are cached."""


class Tokenizer(tokenizers.Tokenizer):  # type: ignore[misc]
    """A tokenizer for rouge-score, from a function that splits one word into tokens."""

    def __init__(self, split_word: Callable[[str], Sequence[str]]) -> None:
        self._split_word = lru_cache(MAX_CACHED)(split_word)

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        return [token for word in text.split() for token in self._split_word(word)]


def words(stemming: bool) -> Tokenizer:
    """Return rouge-score's tokenizer: runs of ASCII letters and digits, in lower case."""
    return Tokenizer(tokenizers.DefaultTokenizer(use_stemmer=stemming).tokenize)


def subwords(tokenizer: Any) -> Tokenizer:
    """Return a tokenizer into the subwords of a transformers tokenizer, for text in any script.

    As in NIV2's cross-language evaluation, case and punctuation count, the marker of a leading
    space is removed, and nothing is stemmed. Unknown tokens are dropped, since two unknown
    characters need not be equal. A byte-level tokenizer trained on another script splits letters
    into bytes, many of which a whole script shares, so unrelated texts score well above 0.
    """
    # The marker may be a separate token at the start, so look at two words.
    tokens_of_two = "".join(tokenizer.tokenize("a a"))
    marker = next((symbol for symbol in ("Ġ", "▁") if symbol in tokens_of_two), None)
    # Byte-level tokenizers learn most words with a leading space; those with ▁ add one.
    space = " " if marker == "Ġ" else ""

    def split(word: str) -> list[str]:
        tokens = tokenizer.tokenize(space + unicodedata.normalize("NFC", word))
        stripped = (token.lstrip(marker) if marker else token for token in tokens)
        return [token for token in stripped if token and token != tokenizer.unk_token]

    return Tokenizer(split)


def from_settings(settings: ScoreSettings, model: str | None = None) -> Tokenizer:
    """Return the tokenizer that `scores.tokenizer` names; `model` is the base model's folder or id.

    Raises InputError if it cannot be loaded, or if it is `model` and no model is given.
    """
    if settings.tokenizer == "words":
        return words(settings.stemming)
    name = model if settings.tokenizer == "model" else settings.tokenizer
    if name is None:
        raise InputError("scores.tokenizer: model needs --model, the folder of the base model")
    return subwords(load_tokenizer(name, "scores.tokenizer", "words, model, "))
