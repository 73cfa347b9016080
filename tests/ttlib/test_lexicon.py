"""IBM Model 1 on examples small enough to follow by hand."""

import pytest

from ttlib.errors import InputError
from ttlib.text.lexicon import learn_lexicon, word_for_word, words

PAIRS = [("дом", "house"), ("большой дом", "big house"), ("большой кот", "big cat"), ("кот", "cat")]


def test_words_are_explained_by_where_they_recur() -> None:
    assert learn_lexicon(PAIRS) == {"дом": "house", "большой": "big", "кот": "cat"}
    assert learn_lexicon(PAIRS[::-1]) == learn_lexicon(PAIRS)


def test_one_word_that_is_known_explains_the_other() -> None:
    """Counting alone leaves `big` and `house` equal for дом in the second pair; a second round settles it."""
    pairs = [("большой дом", "big house"), ("дом", "house")]
    assert learn_lexicon(pairs) == {"большой": "big", "дом": "house"}
    # Round 1: большой gets 1/2 of big and 1/2 of house (a tie); round 2: house is explained by дом.
    assert learn_lexicon(pairs, iterations=2)["большой"] == "big"


def test_a_frequent_word_does_not_take_everything() -> None:
    """`the` stands in every sentence, and so does и: each explains the other, not the rest."""
    names = [("дом", "house"), ("кот", "cat"), ("сад", "garden"), ("день", "day")]
    pairs = [(f"и {a}", f"the {b}") for a, b in names]
    assert learn_lexicon(pairs) == {"и": "the", **dict(names)}


def test_capitals_and_marks_do_not_count() -> None:
    assert words("И сказал: «Don't - well-known 2»") == ["и", "сказал", "don't", "-", "well-known", "2"]
    assert learn_lexicon([("Дом!", "(House)")]) == {"дом": "house"}


def test_a_side_without_words_teaches_nothing() -> None:
    assert learn_lexicon([("...", "house"), ("дом", "!"), ("", ""), *PAIRS]) == learn_lexicon(PAIRS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Большой, новый кот!", "Big, cat!"),  # words without an entry are left out
        ("большой дом", "big house"),
        ("ДОМ.", "House."),
        ("«Дом»", "«House»"),
        ("новый", ""),
        ("", ""),
    ],
)
def test_word_for_word(text: str, expected: str) -> None:
    assert word_for_word(text, learn_lexicon(PAIRS)) == expected


def test_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match="pairs: got 0, need at least one pair of sentences"):
        learn_lexicon([])
    with pytest.raises(InputError, match=r"pairs: got \('дом', '!'\), need a pair with words on both sides"):
        learn_lexicon([("дом", "!"), ("", "house")])
