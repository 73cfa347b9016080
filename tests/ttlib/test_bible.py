"""Real verses, side by side, cleaned."""

import re

import pytest

from ttlib.data.bible import EDITIONS, clean, verse_pairs
from ttlib.data.records import Pair
from ttlib.errors import InputError


@pytest.fixture(scope="module")
def verses() -> list[Pair]:
    return list(verse_pairs())


def test_the_corpus_is_the_one_the_book_describes(verses: list[Pair]) -> None:
    assert len(verses) == 26_926
    assert verses[0] == Pair(
        "В начале сотворил Бог небо и землю.", "At the first God made the heaven and the earth.", "1:1"
    )
    assert verses[-1].group == "66:22"
    assert len({pair.group for pair in verses}) == 1187  # of 1,189 chapters, less two psalms


def test_no_marks_no_dots_no_long_verses(verses: list[Pair]) -> None:
    for src, tgt, group in verses:
        assert not re.search(r"\(\d+:\d+\)|[\[\]*=>`“”«»]", src + tgt), group
        assert re.search(r"[А-Яа-я]", src), group
        assert re.search(r"[A-Za-z]", tgt), group
        assert max(len(src.split()), len(tgt.split())) <= 40, group
        assert (src, tgt) == (src.strip(), tgt.strip())
    assert max(len(pair.tgt.split()) for pair in verses) == 40


def test_shifted_psalms_are_left_out(verses: list[Pair]) -> None:
    psalms = {pair.group for pair in verses if pair.group.startswith("19:")}
    assert psalms == {f"19:{n}" for n in range(1, 151)} - {"19:13", "19:90"}


def test_fewer_words_fewer_verses(verses: list[Pair]) -> None:
    short = list(verse_pairs(max_words=10))
    expected = [pair for pair in verses if max(len(pair.src.split()), len(pair.tgt.split())) <= 10]
    assert short == expected
    assert 0 < len(short) < len(verses)


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_edition_has_verses(edition: str) -> None:
    first = next(verse_pairs(tgt=edition))
    assert first.group == "1:1"
    assert len(first.tgt.split()) > 5


def test_an_unknown_edition() -> None:
    names = "synodal, basic, world, king_james, segond, elberfelder"
    with pytest.raises(InputError) as caught:
        next(verse_pairs(tgt="klingon"))
    assert str(caught.value) == f"tgt: got 'klingon', need one of {names}"
    with pytest.raises(InputError, match="src: got 'r', need one of"):
        next(verse_pairs(src="r"))


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("(21:1) Псалом.  (21:2) Боже мой!", "Псалом. Боже мой!"),
        ("he [is]* here=>now", "he is herenow"),
        ("`Don`t,` said “he” «so»", '\'Don\'t,\' said "he" "so"'),
        ("  two \n lines\t", "two lines"),
        ("(a note) 12:3", "(a note) 12:3"),
        ("", ""),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned
    assert clean(cleaned) == cleaned
