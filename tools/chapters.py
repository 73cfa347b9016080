"""A chapter is a pair: a notebook with its outputs, and the same cells as MyST text. This reads and writes both."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from jupytext.config import load_jupytext_config

ROOT = Path(__file__).parent.parent
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
Notebook = Any  # nbformat's NotebookNode: a dict whose keys are attributes too


class ChapterError(Exception):
    """What is wrong with a chapter, in words for the person who writes it."""


@dataclass(frozen=True, order=True)
class Chapter:
    """The two files of a chapter: ``chapters/05_x.ipynb`` and ``chapters/text/05_x.md``."""

    notebook: Path

    @property
    def name(self) -> str:
        """The name without folder and ending."""
        return self.notebook.stem

    @property
    def text(self) -> Path:
        """The text form, which people edit."""
        return self.notebook.parent / "text" / f"{self.name}.md"

    def read_text(self) -> Notebook:
        """The text form's cells and metadata."""
        if not self.text.is_file():
            raise ChapterError(f"{self.name}: no file {self.text}; `adopt` makes it from the notebook")
        return jupytext.read(self.text, fmt="md:myst")

    def read_notebook(self) -> Notebook | None:
        """The notebook with its outputs, or None where there is none yet."""
        if not self.notebook.is_file():
            return None
        try:
            return nbformat.read(self.notebook, as_version=4)
        except nbformat.reader.NotJSONError as error:
            raise ChapterError(f"{self.name}: chapters/{self.notebook.name} is not a notebook: {error}") from error


def all_chapters(folder: Path) -> list[Chapter]:
    """Every chapter of which at least one of the two files is there, in order."""
    names = {path.stem for path in [*folder.glob("*.ipynb"), *folder.glob("text/*.md")]}
    return [Chapter(folder / f"{name}.ipynb") for name in sorted(names)]


def find_chapters(folder: Path, names: Iterable[str]) -> list[Chapter]:
    """Chapters by name or by the beginning of it, such as ``05``; all of them where no name is given."""
    chapters = all_chapters(folder)
    found = [chapter for name in names for chapter in [_find(chapters, name)]]
    return found or chapters


def _find(chapters: list[Chapter], name: str) -> Chapter:
    fits = [chapter for chapter in chapters if chapter.name.startswith(Path(name).stem)]
    exact = [chapter for chapter in fits if chapter.name == Path(name).stem]
    if len(exact or fits) != 1:
        raise ChapterError(f"CHAPTER: got {name!r}, need one of {', '.join(chapter.name for chapter in chapters)}")
    return (exact or fits)[0]


def as_text(notebook: Notebook) -> str:
    """The text form of a notebook: cells, tags and the metadata that people write."""
    copy = nbformat.from_dict(notebook)
    copy.metadata.pop("language_info", None)  # else the text depends on what the kernel says of itself
    copy.metadata.pop("jupytext", None)
    copy.metadata["ttlib"] = {k: v for k, v in copy.metadata.get("ttlib", {}).items() if k != "provenance"}
    if not copy.metadata["ttlib"]:
        del copy.metadata["ttlib"]
    return jupytext.writes(copy, fmt="md:myst", config=load_jupytext_config(str(ROOT / "chapters" / "any.ipynb")))


def as_json(notebook: Notebook) -> str:
    """The notebook as its file holds it, without what changes at every run (times, versions of the kernel)."""
    copy = nbformat.from_dict(notebook)
    copy.metadata["language_info"] = dict(LANGUAGE)
    copy.metadata.pop("jupytext", None)
    for cell in copy.cells:
        cell.metadata.pop("execution", None)
    nbformat.validate(copy)
    return nbformat.writes(copy, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write(path: Path, content: str) -> bool:
    """Write a file in one step, so that nobody ever sees half of it; say whether it changed."""
    if path.is_file() and path.read_text(encoding="utf-8") == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(content)
    os.chmod(partial, 0o644)  # mkstemp's files are for the owner alone
    os.replace(partial, path)
    return True
