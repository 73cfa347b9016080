"""Small files in the place of real ones: read by the same code, and found to be the right ones."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest

from ttlib.data.sources import Source


def describing(source: Source, content: bytes, **changes: Any) -> Source:
    """The source, but of this content."""
    return dataclasses.replace(source, n_bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), **changes)


def put_in_place(monkeypatch: pytest.MonkeyPatch, where: str, source: Source, path: Path, text: str) -> Path:
    """Write a small file into a cache folder of its own, and let the module's source, ``where``, describe it."""
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(where, describing(source, path.read_bytes(), package="", path=path.name))
    monkeypatch.setenv("TTLIB_DATA", str(path.parent))
    return path
