"""The two cells that every chapter has and nobody writes: the line with the Colab link, and the setup cell.

Both hold the repository's address, which stands in one place only: ``_config.yml``, ``repository``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from nbformat import v4

from tools.chapters import Chapter, ChapterError, Notebook

COLAB = "https://colab.research.google.com/github/"
GITHUB = "https://github.com/"
SETUP = """\
# Finds ttlib (installed, or in the folder above) and this chapter's packages; installs what is missing.
# With --no-deps, everything that is already here stays as it is, torch above all.
import subprocess
import sys
from importlib import invalidate_caches, metadata, util
from pathlib import Path

if Path("../ttlib/__init__.py").is_file():
    sys.path.append(str(Path("..").resolve()))
missing = [pin for pin in {packages} if not any(metadata.distributions(name=pin.split("==")[0]))]
if util.find_spec("ttlib") is None:
    missing.append("git+{url}@{branch}")
if missing:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *missing], check=True)
    invalidate_caches()"""


@dataclass(frozen=True)
class Address:
    """Where the repository is."""

    url: str
    branch: str

    def colab(self, chapter: Chapter) -> str | None:
        """The address that opens a chapter in Colab; None where the repository is not on GitHub."""
        if not self.url.startswith(GITHUB):
            return None
        return f"{COLAB}{self.url.removeprefix(GITHUB)}/blob/{self.branch}/chapters/{chapter.name}.ipynb"


def read_address(config: Path) -> Address:
    """The address in ``_config.yml``: ``repository.url`` and ``repository.branch``."""
    repository = (yaml.safe_load(config.read_text(encoding="utf-8")) or {}).get("repository") or {}
    for key in ("url", "branch"):
        if not repository.get(key):
            raise ChapterError(f"{config.name}: no repository.{key}; need the address that readers clone from")
    return Address(repository["url"].removesuffix("/").removesuffix(".git"), repository["branch"])


def tags(cell: Any) -> list[str]:
    """A cell's tags."""
    return list(cell.metadata.get("tags", []))


def is_generated(cell: Any) -> bool:
    """Whether the cell is one of the two."""
    return "generated" in tags(cell) or "setup" in tags(cell)


def packages(notebook: Notebook) -> list[str]:
    """The packages that a chapter needs beside ttlib's own, as ``name==version``."""
    return list(notebook.metadata.get("ttlib", {}).get("packages", []))


def provenance_line(provenance: dict[str, Any] | None) -> str:
    """What made the stored outputs, as the reader sees it."""
    if not provenance:
        return "**Stored outputs:** none yet."
    seconds = provenance["seconds"]
    time = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    made = (f"preset `{provenance['preset']}`", provenance["hardware"], f"Python {provenance['python']}")
    versions = (f"torch {provenance['torch']}", f"ttlib {provenance['ttlib']}", time, provenance["date"])
    return f"**Stored outputs:** {' · '.join((*made, *versions))}."


def with_generated(chapter: Chapter, notebook: Notebook, address: Address) -> Notebook:
    """Put the two cells, made anew, after the first cell (the author's opening)."""
    authors = [cell for cell in notebook.cells if not is_generated(cell)]
    if not authors or authors[0].cell_type != "markdown" or not authors[0].source.startswith("# "):
        raise ChapterError(f"{chapter.name}: the first cell must be markdown and begin with '# Title'")
    link = address.colab(chapter)
    colab = [f"[Open this chapter in Colab]({link})."] if link else []
    line = " ".join([*colab, provenance_line(notebook.metadata.get("ttlib", {}).get("provenance"))])
    setup = SETUP.format(packages=packages(notebook), url=address.url, branch=address.branch)
    made = [
        v4.new_markdown_cell(line, metadata={"tags": ["generated"]}),
        v4.new_code_cell(setup, metadata={"tags": ["setup", "hide-input", "remove-output"]}),
    ]
    _keep_state(made, [cell for cell in notebook.cells if is_generated(cell)])
    notebook.cells = [authors[0], *made, *authors[1:]]
    return notebook


def _keep_state(new: list[Any], old: list[Any]) -> None:
    """The cells' ids and the setup cell's count of execution do not change when their source does."""
    for cell in new:
        for twin in (twin for twin in old if twin.cell_type == cell.cell_type and "id" in twin):
            cell.id = twin.id
            if cell.cell_type == "code":
                cell.execution_count, cell.outputs = twin.execution_count, twin.outputs
