"""The real chapters: pairs agree, outputs are fresh and recorded, packages are those that the tests install."""

import re

import pytest

from tools.chapters import ROOT, all_chapters
from tools.checks import check
from tools.generated import packages, read_address

CHAPTERS = all_chapters(ROOT / "chapters")
PIN = re.compile(r"^([\w.-]+==[^\s;]+)", re.MULTILINE)


def pins() -> set[str]:
    """Everything that requirements*.txt installs."""
    return {pin for path in ROOT.glob("requirements*.txt") for pin in PIN.findall(path.read_text())}


def test_there_are_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_chapter_is_in_order(chapter):
    complaints = check(chapter, read_address(ROOT / "_config.yml"))
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_chapter_installs_what_the_tests_have(chapter):
    assert set(packages(chapter.read_text())) <= pins()


def test_commands_in_messages_name_the_same_versions():
    """``ttlib.data`` tells readers what to install; that must be what the tests have."""
    sources = "\n".join(path.read_text() for path in (ROOT / "ttlib").rglob("*.py"))
    named = set(re.findall(r"pip install --no-deps ([\w.-]+==[\w.]+)", sources))
    assert named
    assert named <= pins()
