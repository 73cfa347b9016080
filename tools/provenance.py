"""What made a notebook's outputs, and how to know whether they still belong to the code."""

import hashlib
import io
import tokenize
from datetime import date
from pathlib import Path
from typing import Any

from tools.chapters import ROOT, Notebook
from tools.generated import is_generated

KEYS = ("preset", "hardware", "python", "torch", "ttlib", "seconds", "date", "code_hash", "library_hash")


def provenance(notebook: Notebook, seconds: float) -> dict[str, Any]:
    """The record of a run that has just ended in this process's environment."""
    from ttlib.runtime import describe  # here, since torch takes seconds to import and most commands do without

    made = {"seconds": round(seconds, 1), "date": date.today().isoformat()}
    return {**describe(), **made, "code_hash": code_hash(notebook), "library_hash": library_hash(ROOT / "ttlib")}


def code_hash(notebook: Notebook) -> str:
    """A hash of all code cells but the generated one; comments do not count."""
    return _hash(cell.source for cell in notebook.cells if cell.cell_type == "code" and not is_generated(cell))


def library_hash(package: Path) -> str:
    """A hash of all Python files of the package; comments do not count."""
    return _hash(path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py")))


def _hash(sources: Any) -> str:
    return hashlib.sha256("\0".join(without_comments(source) for source in sources).encode()).hexdigest()[:16]


def without_comments(source: str) -> str:
    """The source without comments, blank lines and spaces at the ends of lines."""
    lines = source.splitlines(keepends=True)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):  # a cell with a magic: every character counts
        return source
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())
