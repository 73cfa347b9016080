"""The repository's address stands in ``_config.yml`` alone; changing it there changes every chapter."""

import shutil
import subprocess

import pytest

from tools.chapters import ROOT, all_chapters
from tools.checks import check
from tools.generated import read_address
from tools.sync import sync


@pytest.fixture
def copied(tmp_path):
    """The real chapters with the real configuration, to be changed."""
    shutil.copytree(ROOT / "chapters", tmp_path / "chapters")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    return tmp_path


def test_one_place_changes_all(copied):
    old = read_address(copied / "_config.yml")
    config = (copied / "_config.yml").read_text()
    (copied / "_config.yml").write_text(config.replace(old.url, "https://github.com/another/place"))
    new = read_address(copied / "_config.yml")
    chapters = all_chapters(copied / "chapters")
    assert chapters
    for chapter in chapters:
        assert any("generated cells" in complaint for complaint in check(chapter, new))
        sync(chapter, new)
        assert check(chapter, new) == []
        for path in (chapter.notebook, chapter.text):
            content = path.read_text()
            assert f"{new.colab(chapter)}" in content
            assert f"git+{new.url}@{new.branch}" in content
            assert old.url.removeprefix("https://github.com/") not in content


def test_no_other_file_holds_the_address():
    address = read_address(ROOT / "_config.yml")
    listed = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    files = {ROOT / name for name in listed.split("\0") if name}
    may = {ROOT / "_config.yml", *(path for c in all_chapters(ROOT / "chapters") for path in (c.notebook, c.text))}
    holders = [path for path in files - may if path.is_file() and address.url.encode() in path.read_bytes()]
    assert holders == []


def test_without_github_there_is_no_colab_link(book):
    book.config.write_text("repository: {url: 'file:///somewhere/book.git', branch: main}\n")
    sync(book.chapter, book.address)
    assert "colab" not in book.chapter.text.read_text().lower()
    assert "git+file:///somewhere/book@main" in book.chapter.text.read_text()
