"""What ROUGE counts: the words of rouge-score, or subwords of any tokenizer."""

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from rouge_score import tokenizers

from nearfirst.common.errors import InputError
from nearfirst.score.settings import ScoreSettings

WORDS, TEXTS = 2**17, 2**14
"""Words and texts whose tokens are kept."""


class Tokenizer(tokenizers.Tokenizer):  # type: ignore[misc]
    """A tokenizer of rouge-score that cuts up each word, and each text, once.

    Words between white space are cut up one by one, so a word has the same tokens wherever it
    stands.
    """

    def __init__(self, cut: Callable[[str], Sequence[str]]) -> None:
        self._cut = lru_cache(WORDS)(cut)
        self._tokens = lru_cache(TEXTS)(self._of_text)

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text; the list is shared, leave it as it is."""
        return self._tokens(text)

    def _of_text(self, text: str) -> list[str]:
        return [token for word in text.split() for token in self._cut(word)]


def words(stemming: bool) -> Tokenizer:
    """Return rouge-score's own tokenizer: runs of ASCII letters and digits, in lower case."""
    return Tokenizer(tokenizers.DefaultTokenizer(use_stemmer=stemming).tokenize)


def subwords(tokenizer: Any) -> Tokenizer:
    """Return a tokenizer by the subwords of one of transformers, for text in any script.

    As in NIV2's own evaluation of its cross-language track: case and punctuation count, and the
    marker of a leading space is taken off. Pieces that it leaves empty are dropped, and so is the
    unknown token, for two unknown characters need not be equal. There is no stemming. A byte-level
    tokenizer that was trained on another script cuts a letter into bytes, some of which most
    letters of a script share: scores of unrelated texts are then well above 0.
    """
    # The space may be a piece of its own, so both words' pieces are looked at.
    found = "".join(tokenizer.tokenize("a a"))
    marker = next((sign for sign in ("Ġ", "▁") if sign in found), None)
    # Byte-level tokenizers know a word best after a space; those with ▁ add one by themselves.
    space = " " if marker == "Ġ" else ""

    def cut(word: str) -> list[str]:
        pieces = tokenizer.tokenize(space + unicodedata.normalize("NFC", word))
        bare = (piece.lstrip(marker) if marker else piece for piece in pieces)
        return [piece for piece in bare if piece and piece != tokenizer.unk_token]

    return Tokenizer(cut)


def from_settings(settings: ScoreSettings, model: str | None = None) -> Tokenizer:
    """Return the tokenizer that `scores.tokenizer` names.

    Parameters
    ----------
    settings
        `words`, `model`, or a Hugging Face id or folder.
    model
        Folder or id that `model` stands for.

    Raises
    ------
    InputError
        If it cannot be loaded, or `model` is asked for and not given.
    """
    if settings.tokenizer == "words":
        return words(settings.stemming)
    name = model if settings.tokenizer == "model" else settings.tokenizer
    if name is None:
        raise InputError("scores.tokenizer: model needs --model, the folder of the base model")
    from transformers import AutoTokenizer

    try:
        return subwords(AutoTokenizer.from_pretrained(name, trust_remote_code=False))
    # A tokenizer may need a package that is not there.
    except (OSError, ValueError, ImportError) as error:
        why = str(error).splitlines()[0]
        if "trust_remote_code" in str(error):
            why = "it needs code of its own to be run, which is refused"
        raise InputError(
            f"scores.tokenizer: {name!r} cannot be loaded ({why}); give "
            "words, model, a Hugging Face id that this machine can reach, or a folder with a "
            "tokenizer"
        ) from None
