"""Every verse of the table holds its word exactly once, and the counts are those that the book promises."""

import pytest

from ttlib.data.bible import verse_texts
from ttlib.data.senses import SENSES, occurrences, place_of
from ttlib.errors import InputError


def test_at_least_ten_words_of_twenty_verses() -> None:
    assert len(SENSES) >= 10
    for word, senses in SENSES.items():
        sizes = [len(keys.split()) for keys in senses.values()]
        assert sum(sizes) >= 20, word
        assert min(sizes) >= 8, word
        assert len(sizes) >= 2, word


@pytest.mark.parametrize("word", SENSES)
def test_no_verse_stands_twice(word: str) -> None:
    found = occurrences(word)  # raises where the word is absent or comes twice
    assert len({o.key for o in found}) == len(found)
    assert len({o.text for o in found}) == len(found)
    assert all(o.text[o.start : o.end].lower() == word for o in found)
    order = [o.sense for o in found]
    assert order == sorted(order, key=list(SENSES[word]).index)


def test_verses_read_as_the_book_quotes_them() -> None:
    texts = verse_texts("world")
    assert len(texts) == 31_102
    assert texts["42:18:12"] == "I fast twice in the week. I give tithes of all that I get.'"


def test_place_of_a_whole_word() -> None:
    assert place_of("well", "Well! Welling up, the farewell") == (0, 4)


@pytest.mark.parametrize("text", ["no such word", "well, well", "farewell"])
def test_place_of_none_or_two(text: str) -> None:
    with pytest.raises(InputError, match=r"text: got .* times 'well'.*, need exactly one"):
        place_of("well", text)


def test_unknown_word_and_edition() -> None:
    with pytest.raises(InputError, match="word: got 'bank', need one of bear"):
        occurrences("bank")
    with pytest.raises(InputError, match="edition: got 'luther'"):
        verse_texts("luther")
