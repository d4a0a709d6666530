"""ROUGE and Exact Match of one answer: by hand, against plain rouge-score, and as laws."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from nearfirst.model.pretrain import train_tokenizer
from nearfirst.score import tokenizers
from nearfirst.score.exact_match import exact_match, normalize
from nearfirst.score.scorer import Scorer, weighted
from nearfirst.score.settings import ScoreSettings

MAT = "the cat sat on the mat"
# Any text at all, and text that words are found in.
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SOME = st.lists(st.sampled_from(["cats", "cat", "running", "ran!", "é", "猫", "a"]), max_size=8)
TEXT = st.one_of(ANY, SOME.map(" ".join))
WORDS = st.lists(st.text("abcXYZ019", min_size=1, max_size=6), min_size=1, max_size=8)


def scorer(**settings: Any) -> Scorer:
    chosen = ScoreSettings.model_validate(settings)
    return Scorer(chosen, tokenizers.from_settings(chosen))


def score(prediction: str, *references: str, **settings: Any) -> tuple[float, ...]:
    """Return ROUGE-1, ROUGE-L and Exact Match."""
    return scorer(**settings).score(prediction, references)


@pytest.fixture(scope="module")
def byte_level() -> tokenizers.Tokenizer:
    documents = ["the cat and the dog", "кошка и собака", "猫と犬 猫と犬"] * 20
    return tokenizers.subwords(train_tokenizer(documents, 330))


def test_one_word_of_six_differs() -> None:
    # the (twice), cat, on, mat are shared: 5 of 6 on either side, and in the same order.
    assert score("the cat is on the mat", MAT) == pytest.approx((5 / 6, 5 / 6, 0))


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
        # β is the paper's alone.
        ({"beta": 1.2}, 0.8, 0.4),
    ],
)
def test_recall_and_f(settings: dict[str, Any], rouge1: float, rouge_l: float) -> None:
    assert score("the mat the cat", MAT, **settings) == pytest.approx((rouge1, rouge_l, 0))


def test_recall_does_not_punish_a_long_answer() -> None:
    # One of four words: recall 1, precision 1/4.
    assert score("paris is the capital", "Paris")[:2] == pytest.approx((0.4, 0.4))
    assert score("paris is the capital", "Paris", rouge="paper")[0] == 1


@pytest.mark.parametrize("rouge", ["fmeasure", "paper"])
def test_nothing_shared_is_zero(rouge: str) -> None:
    assert score("dog", MAT, rouge=rouge) == (0, 0, 0)


def test_a_repeated_word_counts_as_often_as_the_reference_has_it() -> None:
    # `the` stands twice there: 2 of 4 and 2 of 6.
    assert score("the the the the", MAT)[0] == pytest.approx(2 * 2 / (4 + 6))


def test_stems() -> None:
    # cats and running lose their endings; words of three letters are left alone.
    assert score("cat running", "cats run") == (1, 1, 0)
    assert score("cat running", "cats run", stemming=False) == (0, 0, 0)


def test_maximum_and_mean_over_references() -> None:
    assert score("yes", "no", "yes") == (1, 1, 1)
    assert score("yes", "no", "yes", "Yes!", "maybe", references="mean") == (0.5, 0.5, 0.5)


def test_each_score_has_a_maximum_of_its_own() -> None:
    # Recall: 1/1 against 4/5. F of the longest: 2 (1)(1/4) / (5/4) = 0.4 against 2 (0.8) / 1.8.
    found = score("a b c d", "a", "a b c d e", rouge="paper")
    assert found == pytest.approx((1, 8 / 9, 0))


@pytest.mark.parametrize("blank", ["", "  \n", "\u200b\ufeff", "\x00"])
def test_a_blank_answer_scores_nothing(blank: str, byte_level: tokenizers.Tokenizer) -> None:
    for references in (("yes",), ("?",), ("yes", "?")):
        assert score(blank, *references) == (0, 0, 0)
        assert Scorer(ScoreSettings(), byte_level).score(blank, references) == (0, 0, 0)
    assert exact_match(blank, blank) == 0


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("The Cat.", "the cat", 1),
        ("  a \n b\t", "a b", 1),
        ("U.S.", "us", 1),
        ("well-known", "well known", 0),
        ("cats", "cat", 0),
        ("the cat", "cat", 0),
        ("3 < 4", "3 4", 1),
        ("$5", "5", 1),
        ("「猫」。", "猫", 1),
        ("¿Qué?", "qué", 1),
        ("‘No’ — she said…", "no she said", 1),
        ("Cafe\u0301", "café", 1),
        ("cafe", "café", 0),
        ("КОШКА", "кошка", 1),
        ("नमस्ते।", "नमस्ते", 1),
        ("कि", "क", 0),
        ("a\u00a0b", "a b", 1),
        ("", "?", 0),
        ("?", "?", 1),
        (" ?", "? ", 1),
        ("<", ">", 0),
        ("+", "", 0),
        ("?!", "? !", 0),
    ],
)
def test_exact_match(prediction: str, reference: str, expected: float) -> None:
    assert exact_match(prediction, reference) == expected


def test_other_scripts_have_no_words() -> None:
    assert score("猫が好き", "猫が好き") == (0, 0, 1)
    assert score("кошка", "Кошка!") == (0, 0, 1)


def test_other_scripts_have_subwords(byte_level: tokenizers.Tokenizer) -> None:
    scores = Scorer(ScoreSettings(), byte_level)
    assert scores.score("猫が好き", ("猫が好き",)) == (1, 1, 1)
    # A word has the same pieces at the start as inside; their order counts for ROUGE-L.
    first = scores.score("кошка и собака", ("собака и кошка",))
    assert first.rouge1 == 1
    assert 0 < first.rouge_l < 1
    assert scores.score("and cat", ("dog",)).rouge1 == 0


def test_subwords_lose_the_marker_of_a_space(byte_level: tokenizers.Tokenizer) -> None:
    assert byte_level.tokenize("the cat") == ["the", "cat"]
    assert byte_level.tokenize("  cat \n the") == ["cat", "the"]
    # It saw this word after a space alone.
    assert byte_level.tokenize("dog") == ["dog"]
    assert byte_level.tokenize("café") == byte_level.tokenize("cafe\u0301")
    assert byte_level.tokenize(" ") == []


def test_subwords_keep_case_and_are_not_stemmed(byte_level: tokenizers.Tokenizer) -> None:
    scores = Scorer(ScoreSettings(stemming=True), byte_level)
    assert scores.score("THE", ("the",)) == (0, 0, 1)
    assert scores.score("cat", ("cats",)).rouge1 < 1


def test_pieces_of_a_sentencepiece_and_unknown_ones() -> None:
    vocabulary = {"<unk>": 0, "▁a": 1, "▁dog": 2, "▁猫": 3, "Ġ": 4}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    pieces = tokenizers.subwords(PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>"))
    assert pieces.tokenize("dog 猫 bird dog") == ["dog", "猫", "dog"]
    assert Scorer(ScoreSettings(), pieces).score("bird", ("fish",)) == (0, 0, 0)


def test_the_marker_is_the_tokenizers_own() -> None:
    # Without a marker in use, Ġ is a letter (of Maltese).
    core = Tokenizer(models.WordLevel({"<unk>": 0, "a": 1, "Ġ": 2}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    pieces = tokenizers.subwords(PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>"))
    assert pieces.tokenize("Ġ a") == ["Ġ", "a"]


@given(TEXT, TEXT, st.booleans())
def test_scores_are_those_of_plain_rouge_score(one: str, other: str, stemming: bool) -> None:
    plain = RougeScorer(["rouge1", "rougeL"], use_stemmer=stemming).score(other, one)
    expected = (plain["rouge1"].fmeasure, plain["rougeL"].fmeasure)
    kept = scorer(stemming=stemming)
    for _ in range(2):
        kept.score(other, (one,))
        assert kept.score(one, (other,))[:2] == expected
    # With β = 1 the formulas of the paper are those of the package.
    paper = score(one, other, stemming=stemming, rouge="paper")
    assert paper[:2] == (plain["rouge1"].recall, plain["rougeL"].fmeasure)


@given(WORDS, st.randoms(use_true_random=False), st.sampled_from(["fmeasure", "paper"]))
def test_equal_words_score_one(words: list[str], chance: random.Random, rouge: str) -> None:
    """Neither case nor spaces count: Exact Match of such text gives a full ROUGE."""
    other = [chance.choice([word.upper(), word.lower(), word]) for word in words]
    spaces = [chance.choice([" ", "  ", "\n", "\t "]) for _ in words]
    text = "".join(part for pair in zip(spaces, other, strict=True) for part in pair)
    assert score(text, " ".join(words), rouge=rouge) == (1, 1, 1)


@given(st.text("ab ", max_size=4), st.text("aB ", min_size=1, max_size=4).filter(str.strip))
def test_exact_match_implies_rouge(prediction: str, reference: str) -> None:
    rouge1, rouge_l, match = score(prediction, reference)
    assert match == (rouge_l == rouge1 == 1)


@given(
    TEXT,
    st.lists(TEXT, min_size=1, max_size=4),
    st.randoms(use_true_random=False),
    st.sampled_from(["max", "mean"]),
    st.sampled_from(["fmeasure", "paper"]),
    st.floats(0.1, 10),
)
def test_range_and_order(
    prediction: str,
    references: list[str],
    chance: random.Random,
    over: str,
    rouge: str,
    beta: float,
) -> None:
    scores = scorer(references=over, rouge=rouge, beta=beta)
    found = scores.score(prediction, tuple(references))
    assert all(0 <= value <= 1 + 1e-12 for value in found)
    chance.shuffle(references)
    assert scores.score(prediction, tuple(references)) == found


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.floats(0.01, 100))
def test_f_beta_lies_between_precision_and_recall(
    recall: float, precision: float, beta: float
) -> None:
    found = weighted(recall, precision, beta)
    low, high = sorted([recall, precision])
    assert low * (1 - 1e-9) <= found <= high * (1 + 1e-9)
    assert weighted(precision, recall, 1 / beta) == pytest.approx(found)


@given(WORDS, st.randoms(use_true_random=False))
def test_exact_match_does_not_see_punctuation(words: list[str], chance: random.Random) -> None:
    signs = "!?.,;:'\"()[]<>=+$`^|~«»—。、"
    text = "".join(c + chance.choice(["", chance.choice(signs)]) for c in " ".join(words))
    assert normalize(text) == " ".join(words).lower()
    assert exact_match(chance.choice(signs) + text, " ".join(words)) == 1


def test_the_range_of_beta_is_checked() -> None:
    assert weighted(0, 0, 1.2) == 0
    with pytest.raises(ValueError, match="beta"):
        ScoreSettings(beta=0)
