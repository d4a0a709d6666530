"""Scores of one answer: by hand, against plain rouge-score, and as properties."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from nearfirst.common.errors import InputError
from nearfirst.metrics import SCORE_NAMES
from nearfirst.score import tokenizers
from nearfirst.score.exact_match import exact_match
from nearfirst.score.scorer import Scorer, make_scorer
from nearfirst.score.settings import ScoreSettings

MAT = "the cat sat on the mat"
# Arbitrary text, and text with words.
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SOME = st.lists(st.sampled_from(["cats", "cat", "running", "ran!", "é", "猫", "a"]), max_size=8)
TEXT = st.one_of(ANY, SOME.map(" ".join))


def paper_scores(scorer: Scorer, answer: str, *references: str) -> tuple[float, ...]:
    """Return ROUGE-1, ROUGE-L and Exact Match."""
    scores = scorer(answer, references)
    return scores["rouge1"], scores["rougeL"], scores["exact_match"]


def by_words(**options: Any) -> Scorer:
    settings = ScoreSettings.model_validate(options)
    return make_scorer(settings, tokenizers.from_settings(settings))


def score(answer: str, *references: str, **options: Any) -> tuple[float, ...]:
    return paper_scores(by_words(**options), answer, *references)


@pytest.fixture(scope="module")
def byte_level(model_folder: Path) -> tokenizers.Tokenizer:
    return tokenizers.from_settings(ScoreSettings(tokenizer="model"), str(model_folder))


@pytest.mark.parametrize(
    ("settings", "rouge1", "rouge_l"),
    [
        # Shared: the, the, cat, mat. Recall 4/6, precision 4/4. Longest in order: 2 ("the cat").
        ({}, 0.8, 0.4),  # 2 (2/3) 1 / (5/3), and 2 (1/3)(1/2) / (5/6)
        ({"rouge": "paper"}, 4 / 6, 0.4),
        # Eq. 5: 2.44 (1/3)(1/2) / (1/3 + 1.44 / 2) = 0.61 / 1.58
        ({"rouge": "paper", "beta": 1.2}, 4 / 6, 61 / 158),
        # 1.25 (1/3)(1/2) / (1/3 + 0.25 / 2) = 5 / 11
        ({"rouge": "paper", "beta": 0.5}, 4 / 6, 5 / 11),
        # β is in the paper's formulas only.
        ({"beta": 1.2}, 0.8, 0.4),
    ],
)
def test_rouge_by_hand(settings: dict[str, Any], rouge1: float, rouge_l: float) -> None:
    assert score("the mat the cat", MAT, **settings) == pytest.approx((rouge1, rouge_l, 0))
    assert score("dog", MAT, **settings) == (0, 0, 0)


def test_maximum_and_mean_over_references() -> None:
    assert score("yes", "no", "yes") == (1, 1, 1)
    assert score("yes", "no", "yes", "Yes!", "maybe", references="mean") == (0.5, 0.5, 0.5)
    # The maximum is taken per score. Recall: 1/1 against 4/5. F of the longest:
    # 2 (1)(1/4) / (5/4) = 0.4 against 2 (0.8) / 1.8.
    assert score("a b c d", "a", "a b c d e", rouge="paper") == pytest.approx((1, 8 / 9, 0))


@pytest.mark.parametrize("blank", ["", "  \n", "\u200b\ufeff", "\x00"])
def test_a_blank_answer_scores_nothing(blank: str, byte_level: tokenizers.Tokenizer) -> None:
    for scorer in (by_words(), make_scorer(ScoreSettings(), byte_level)):
        assert scorer(blank, ("yes", "?")) == dict.fromkeys(SCORE_NAMES, 0)
    assert exact_match(blank, blank) == 0


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("  The \n Cat.\t", "the cat", 1),
        ("U.S.", "us", 1),
        ("well-known", "well known", 0),
        ("3 < 4", "3 4", 1),
        ("「猫」。", "猫", 1),
        ("‘No’ — she said…", "no she said", 1),
        ("Cafe\u0301", "café", 1),
        ("cafe", "café", 0),
        ("КОШКА", "кошка", 1),
        ("कि", "क", 0),
        ("a\u00a0b", "a b", 1),
        ("", "?", 0),
        (" ?", "? ", 1),
        ("<", ">", 0),
        ("?!", "? !", 0),
    ],
)
def test_exact_match(answer: str, reference: str, expected: float) -> None:
    assert exact_match(answer, reference) == expected


def test_other_scripts_need_subwords(byte_level: tokenizers.Tokenizer) -> None:
    assert score("猫が好き", "猫が好き") == (0, 0, 1)
    subwords = make_scorer(ScoreSettings(stemming=True), byte_level)
    assert paper_scores(subwords, "猫が好き", "猫が好き") == (1, 1, 1)
    # A word has the same tokens at the start as inside; their order counts for ROUGE-L.
    one, longest, _ = paper_scores(subwords, "кошка и собака", "собака и кошка")
    assert one == 1 > longest > 0
    # Case counts and nothing is stemmed.
    assert paper_scores(subwords, "THE", "the") == (0, 0, 1)
    assert paper_scores(subwords, "cat", "cats")[0] < 1


def test_subwords_lose_the_marker_of_a_space(byte_level: tokenizers.Tokenizer) -> None:
    assert byte_level.tokenize("  cat \n the") == ["cat", "the"]
    # In training this word always had a space before it.
    assert byte_level.tokenize("apples") == ["apples"]
    assert byte_level.tokenize("café") == byte_level.tokenize("cafe\u0301")


@pytest.mark.parametrize(
    ("split", "text", "expected"),
    [
        (pre_tokenizers.Metaspace(), "dog 猫 bird dog", ["dog", "猫", "dog"]),
        # Unless it marks a space, Ġ is a (Maltese) letter.
        (pre_tokenizers.Whitespace(), "Ġ a", ["Ġ", "a"]),
    ],
)
def test_markers_and_unknown_tokens(split: Any, text: str, expected: list[str]) -> None:
    vocabulary = {"<unk>": 0, "▁a": 1, "▁dog": 2, "▁猫": 3, "Ġ": 4, "a": 5}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = split
    fast = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")
    assert tokenizers.subwords(fast).tokenize(text) == expected


def test_tokenizers_are_loaded_from_folders(
    model_folder: Path, tmp_path: Path, byte_level: tokenizers.Tokenizer
) -> None:
    named = tokenizers.from_settings(ScoreSettings(tokenizer=str(model_folder)), "another")
    assert named.tokenize("the кот") == byte_level.tokenize("the кот") != ["the", "кот"]
    with pytest.raises(InputError, match=f"scores.tokenizer: '{tmp_path}' cannot be loaded"):
        tokenizers.from_settings(ScoreSettings(tokenizer=str(tmp_path)))
    with pytest.raises(InputError, match=r"scores\.tokenizer: model needs --model"):
        tokenizers.from_settings(ScoreSettings(tokenizer="model"))


@given(TEXT, TEXT, st.booleans())
def test_scores_are_those_of_plain_rouge_score(one: str, other: str, stemming: bool) -> None:
    plain = RougeScorer(["rouge1", "rougeL"], use_stemmer=stemming).score(other, one)
    expected = (plain["rouge1"].fmeasure, plain["rougeL"].fmeasure)
    cached = by_words(stemming=stemming)
    for _ in range(2):
        cached(other, (one,))
        assert paper_scores(cached, one, other)[:2] == expected
    # With β = 1 the paper's formulas equal the package's.
    paper = score(one, other, stemming=stemming, rouge="paper")
    assert paper[:2] == (plain["rouge1"].recall, plain["rougeL"].fmeasure)
