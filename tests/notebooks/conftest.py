"""A book of one tiny chapter, in a folder of its own."""

import shutil
from pathlib import Path

import pytest

from tools.chapters import ROOT, Chapter
from tools.execute import run
from tools.generated import read_address
from tools.sync import sync

CONFIG = "repository:\n  url: https://github.com/someone/book\n  branch: main\n"
TINY = """\
---
kernelspec:
  name: python3
  display_name: Python 3
  language: python
ttlib:
  packages: []
---

# Tiny

Can it add?

+++

It can:

```{code-cell}
:tags: [nbval-check-output]

print(1 + 1)  # two
```

```{code-cell}
from ttlib.runtime import preset

print(preset())
```
"""


class Book:
    """A folder with ``_config.yml``, ``ttlib`` and one chapter."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "_config.yml"
        self.chapter = Chapter(folder / "chapters" / "05_tiny.ipynb")

    @property
    def address(self):
        return read_address(self.config)

    def edit(self, old: str, new: str) -> None:
        """Edit the chapter's text."""
        _replace(self.chapter.text, old, new)

    def damage(self, old: str, new: str) -> None:
        """Edit the notebook's file."""
        _replace(self.chapter.notebook, old, new)


def _replace(path: Path, old: str, new: str) -> None:
    content = path.read_text()
    assert old in content, f"{old!r} is not in {path.name}"
    path.write_text(content.replace(old, new))


@pytest.fixture(scope="session")
def executed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    (folder / "ttlib").symlink_to(ROOT / "ttlib")
    book = Book(folder)
    book.config.write_text(CONFIG)
    book.chapter.text.parent.mkdir(parents=True)
    book.chapter.text.write_text(TINY)
    sync(book.chapter, book.address)
    run(book.chapter, book.address, "ci")
    return folder


@pytest.fixture
def book(executed_folder: Path, tmp_path: Path) -> Book:
    """An executed chapter, to be damaged."""
    shutil.copytree(executed_folder, tmp_path / "book", symlinks=True)
    return Book(tmp_path / "book")
