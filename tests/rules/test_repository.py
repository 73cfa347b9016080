"""What holds for every file of the repository."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.chapters import ROOT
from tools.paths import machine_paths


def repository_files() -> Iterator[Path]:
    """Files that are, or would be, committed."""
    names = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    return (ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file())


def test_no_file_names_a_path_of_a_machine():
    """Notebooks' outputs are looked at by ``tools.checks``; their cells stand in the text form too."""
    found = {}
    for path in repository_files():
        content = path.read_bytes()
        if path.suffix != ".ipynb" and b"\0" not in content:
            found[path.name] = machine_paths(content.decode("utf-8"))
    assert {name: paths for name, paths in found.items() if paths} == {}


@pytest.mark.parametrize("folder", ["tmp", "home", "root", "Users"])
def test_a_path_of_a_machine_is_found(folder):
    path = f"/{folder}/" + "someone"
    assert machine_paths(f"open('{path}/x.txt')") == [path]


def test_a_path_of_this_checkout_is_found():
    checkout = Path("/" + "srv/checkouts/book")
    assert machine_paths(f'File "{checkout}/ttlib/x.py"', checkout) == [f"{checkout}/ttlib"]


@pytest.mark.parametrize("text", ["https://example.org/home/me", "../tmp/x", "/usr/bin/chromium", "book/content/x"])
def test_other_paths_may_be_named(text):
    assert machine_paths(text) == []


def inexact(requirements: str) -> list[str]:
    """Requirements that are not pinned to one version."""
    lines = [line.split("#")[0].split(";")[0].split("--hash")[0].strip() for line in requirements.splitlines()]
    return [line for line in lines if line and ("==" not in line or "*" in line or "," in line)]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-data.txt"])
def test_requirements_are_exact(name):
    assert inexact((ROOT / name).read_text()) == []


def test_a_loose_requirement_is_found():
    assert inexact("a==1.0  # yes\nb>=2\nc==1.*\nd\n") == ["b>=2", "c==1.*", "d"]


def test_torch_is_not_pinned_for_readers():
    """Colab's torch must stay: ttlib's own metadata asks for a range without an upper end."""
    (line,) = [line for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.strip().startswith('"torch')]
    assert line.strip() == '"torch>=2.9",'
