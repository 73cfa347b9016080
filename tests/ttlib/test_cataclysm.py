"""A game's messages: GNU's binary catalogue read, cut into sentences, and put into the cache only if it is right."""

import dataclasses
import gettext
import hashlib
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from ttlib.data import cataclysm
from ttlib.data.cataclysm import CATACLYSM, fetch, message_pairs, sentences
from ttlib.data.records import Pair
from ttlib.data.sources import cache_folder
from ttlib.errors import DataError

HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=3; plural=(n%10==1 ? 0 : n%10==2 ? 1 : 2);\n"
MESSAGES = {
    "": HEADER,
    "I go home. You stay.": "Я иду домой. Ты остаёшься.",
    "Hit %s!": "Ударить %s!",
    "noun\x04yogurt": "йогурт",
    "One. Two.": "Один и два.",
    "untranslated": "",
    "same": "same",
    "an apple\0apples": "яблоко\0яблока\0яблок",
    "yogurt": "йогурт",
    "word " * 41: "слово " * 41,
}


def write_mo(path: Path, messages: dict[str, str]) -> None:
    """Two tables of (length, offset), then the strings, sorted by key."""
    keys = sorted(messages, key=lambda key: key.encode())
    strings = [text.encode() for text in [*keys, *(messages[key] for key in keys)]]
    n, offset, table, blob = len(keys), 28 + 16 * len(keys), b"", b""
    for text in strings:
        table += struct.pack("<II", len(text), offset + len(blob))
        blob += text + b"\0"
    path.write_bytes(struct.pack("<7I", 0x950412DE, 0, n, 28, 28 + 8 * n, 0, offset) + table + blob)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "messages.mo"
    write_mo(path, MESSAGES)
    return path


def test_the_sample_is_a_real_catalogue(catalogue: Path) -> None:
    with catalogue.open("rb") as file:
        read = gettext.GNUTranslations(file)
    assert read.gettext("Hit %s!") == "Ударить %s!"
    assert read.pgettext("noun", "yogurt") == "йогурт"
    assert read.ngettext("an apple", "apples", 5) == "яблок"


def test_messages_of_the_game(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cataclysm, "verified", lambda source: catalogue)
    found = list(message_pairs())
    assert sorted(found) == sorted(
        [
            Pair("Я иду домой.", "I go home.", "I go home. You stay."),
            Pair("Ты остаёшься.", "You stay.", "I go home. You stay."),
            Pair("йогурт", "yogurt", "yogurt"),  # once, though it stands there twice
            Pair("яблоко", "an apple", "an apple"),  # the first of three plural forms
        ]
    )
    assert [pair for pair in message_pairs(max_words=2) if len(pair.src.split()) > 2] == []
    assert len(list(message_pairs(max_words=41))) == 5


@pytest.mark.parametrize(
    ("russian", "english", "expected"),
    [
        ("Стой!  Кто идёт?", "Stop! Who goes?", [("Стой!", "Stop!"), ("Кто идёт?", "Who goes?")]),
        ("Да… «Нет».", 'Yes… "No".', [("Да…", "Yes…"), ("«Нет».", '"No".')]),
        ("Т. е. всё.", "I.e. all.", [("Т. е. всё.", "I.e. all.")]),  # no capital letter after the stop
        ("Одно.", "One. Two.", []),
        ("Тест", "no {markup}", []),
        ("<цвет>красный", "red", []),
        ("Год 2020", "Year 2020", []),
        ("две\nстроки", "two\nlines", []),
        ("test", "test", []),
        ("тест", "тест", []),
        ("", "test", []),
    ],
)
def test_sentences(russian: str, english: str, expected: list[tuple[str, str]]) -> None:
    assert sentences(russian, english) == expected


def test_the_real_file() -> None:
    if not (cache_folder() / CATACLYSM.path).is_file():
        pytest.skip("the game's messages are not in the cache folder: python -m ttlib data cataclysm")
    found = list(message_pairs())
    assert len(found) > 20_000
    assert len({(pair.src, pair.tgt) for pair in found}) == len(found)


def test_without_the_file_the_message_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTLIB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"cataclysm: no file 'cataclysm-dda-ru\.mo' .* python -m ttlib data cataclysm"):
        next(message_pairs())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("TTLIB_DATA", str(folder))
    return folder


def make_deb(folder: Path, content: Path | None) -> Path:
    """A small package of the game, with or without its Russian messages."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not on this system")
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: sample\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: sample\n"
    (tree / "DEBIAN" / "control").write_text(control)
    if content:
        inside = tree / "usr/share/locale/ru/LC_MESSAGES"
        inside.mkdir(parents=True)
        shutil.copyfile(content, inside / "cataclysm-dda.mo")
    subprocess.run(["dpkg-deb", "--build", str(tree), str(folder / "x.deb")], check=True, capture_output=True)
    return folder / "x.deb"


def test_fetch_puts_the_right_file_into_the_cache(
    cache: Path, catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = catalogue.read_bytes()
    source = dataclasses.replace(CATACLYSM, n_bytes=len(right), sha256=hashlib.sha256(right).hexdigest())
    monkeypatch.setattr(cataclysm, "CATACLYSM", source)
    assert fetch(make_deb(tmp_path, catalogue)) == cache / CATACLYSM.path
    assert [path.name for path in cache.iterdir()] == [CATACLYSM.path]
    assert len(list(message_pairs())) == 4


def test_fetch_leaves_the_cache_alone_when_the_package_holds_another_file(
    cache: Path, catalogue: Path, tmp_path: Path
) -> None:
    cache.mkdir()
    (cache / CATACLYSM.path).write_bytes(b"what was there")
    with pytest.raises(DataError, match=r"cataclysm: .* has \d+ bytes, need 11460442; run: python -m ttlib data"):
        fetch(make_deb(tmp_path, catalogue))
    assert [path.name for path in cache.iterdir()] == [CATACLYSM.path]
    assert (cache / CATACLYSM.path).read_bytes() == b"what was there"


def test_fetch_of_a_package_without_messages(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--deb: x\.deb holds no Russian messages; need cataclysm-dda-data 0\.F-3"):
        fetch(make_deb(tmp_path, None))
    assert not cache.exists()


def test_fetch_of_what_is_no_package(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--deb: got .*nowhere\.deb', need the package file; python -m ttlib data"):
        fetch(tmp_path / "nowhere.deb")
    make_deb(tmp_path, None).write_bytes(b"not a package")
    with pytest.raises(DataError, match="dpkg-deb -x .*: dpkg-deb: error"):
        fetch(tmp_path / "x.deb")
    assert not cache.exists()


def test_fetch_without_apt(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match=r"apt-get: not found on this system; .*else add --deb FILE"):
        fetch()
    assert not cache.exists()


def test_fetch_when_apt_fails(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(DataError, match="apt-get download cataclysm-dda-data: E: Unable to locate package"):
        fetch()
    assert not cache.exists()
