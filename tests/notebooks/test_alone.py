"""As in Colab: one notebook alone in an empty folder, in an environment that has torch but neither ttlib nor data.

The setup cell must bring both, from a repository and the package index, and leave everything else as it was.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

import pytest

from tools.alone import fingerprint
from tools.chapters import ROOT, Chapter, all_chapters
from tools.generated import packages, read_address
from tools.sync import sync

CHAPTERS = all_chapters(ROOT / "chapters")
WHOLE, *OTHERS = [chapter.name for chapter in CHAPTERS]  # the first one is executed to its end


def no_index() -> bool:
    """Whether pip reaches no package index; it needs one for the data, and to build ttlib. CI must have one."""
    ask = [sys.executable, "-m", "pip", "--retries", "0", "--timeout", "10", "index", "versions", "setuptools"]
    return not os.environ.get("CI") and subprocess.run(ask, capture_output=True, check=False).returncode != 0


pytestmark = [pytest.mark.slow, pytest.mark.skipif("no_index()", reason="pip reaches no package index")]


def git(*args: str, folder: Path) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree whose address is a bare ``file://`` repository made of it."""
    tree, bare = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("remote") / "book"
    names = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    config = tree / "_config.yml"
    config.write_text(config.read_text().replace(read_address(config).url, bare.as_uri()))
    for chapter in all_chapters(tree / "chapters"):
        sync(chapter, read_address(config))
    git("init", folder=tree)
    git("add", "-A", folder=tree)
    git("commit", "-m", "the tree", folder=tree)
    git("clone", "--bare", str(tree), str(bare), folder=tree)
    return tree


def data_packages() -> list[str]:
    """The names in requirements-data.txt."""
    lines = (ROOT / "requirements-data.txt").read_text().splitlines()
    return [line.split("==")[0] for line in lines if "==" in line and not line.startswith("#")]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A fresh Python that sees what this one has (torch above all), but for ttlib and the data packages."""
    hidden = {file.parts[0] for name in data_packages() for file in metadata.files(name) or []}
    seen = tmp_path / "seen"
    seen.mkdir()
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if entry.name not in hidden and not entry.name.startswith(("ttlib", "__editable__")):
            (seen / entry.name).symlink_to(entry)
    venv.create(tmp_path / "fresh", with_pip=False)
    python = tmp_path / "fresh" / "bin" / "python"
    purelib = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = Path(subprocess.check_output([python, "-c", purelib], text=True).strip())
    (site / "seen.pth").write_text(f"{seen}\n")
    return python


def run_alone(python: Path, notebook: Path, folder: Path, *options: str) -> dict:
    """Copy a notebook away from its tree, execute it by `tools/alone.py`, and check what must hold for each."""
    torch = json.loads(json.dumps(fingerprint("torch")))
    shutil.copy(notebook, folder)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [python, ROOT / "tools" / "alone.py", folder / notebook.name, *options]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ttlib"].startswith(str(folder / "fresh"))
    assert report["changed"] == {}
    assert report["torch"] == [torch, torch]
    return report


def not_installed(package: Path) -> list[Path]:
    """Files in ttlib's folder here (checkpoints, say) that the installed package lacks."""
    ours = [path.relative_to(ROOT / "ttlib") for path in (ROOT / "ttlib").rglob("*") if path.is_file()]
    return [path for path in ours if "__pycache__" not in path.parts and not (package / path).is_file()]


def needed(name: str, published: Path) -> set[str]:
    """What a chapter's setup cell must bring."""
    pins = packages(Chapter(published / "chapters" / f"{name}.ipynb").read_text())
    return {"ttlib", *(pin.split("==")[0] for pin in pins if pin.split("==")[0] in data_packages())}


def test_a_whole_chapter_runs_alone(published, python, tmp_path):
    report = run_alone(python, published / "chapters" / f"{WHOLE}.ipynb", tmp_path)
    assert {name.replace("_", "-") for name in report["added"]} == needed(WHOLE, published)
    assert not_installed(Path(report["ttlib"]).parent) == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_setup_cell_brings_what_is_missing(name, published, python, tmp_path):
    report = run_alone(python, published / "chapters" / f"{name}.ipynb", tmp_path, "--setup-only")
    assert {name.replace("_", "-") for name in report["added"]} == needed(name, published)
