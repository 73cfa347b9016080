"""The setup cell asks pip for what is missing and for nothing else. `test_alone` runs it for real."""

import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from tools.chapters import ROOT
from tools.generated import SETUP


@pytest.fixture
def setup(tmp_path, monkeypatch):
    """Runs the cell in a folder of its own and gives the commands that it would have run."""
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)

    def run(*packages: str) -> list[list[str]]:
        exec(SETUP.format(packages=list(packages), url="https://github.com/someone/book", branch="main"), {})
        return commands

    return run


def test_nothing_is_installed_where_all_is_there(setup):
    assert setup("pytest==0.1", "jupyter_book==1.0") == []


def test_only_what_is_missing_is_installed(setup):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    assert setup("torch==2.0.0", "not-there==1.0") == [[*pip, "not-there==1.0"]]


def test_ttlib_comes_from_the_repository_where_it_is_missing(setup, monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    (command,) = setup()
    assert command[-2:] == ["--no-deps", "git+https://github.com/someone/book@main"]


def test_ttlib_in_the_folder_above_is_found(setup, tmp_path):
    above = tmp_path / "checkout"
    (above / "chapters").mkdir(parents=True)
    (above / "ttlib").symlink_to(ROOT / "ttlib")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(above / "chapters")
        setup()
    assert Path(sys.path[-1]) == above


def test_the_cell_is_short():
    assert len(SETUP.splitlines()) <= 15
