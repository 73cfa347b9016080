"""The built book, as readers get it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of built pages."""
    folder = Path(os.environ.get("TTLIB_HTML") or ROOT / "_build" / "html")
    if not (folder / "index.html").is_file():
        pytest.fail(f"no book in {folder}; run `make book` first", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def pages(html: Path) -> list[Path]:
    """Every page that a reader can open."""
    return sorted(p for p in html.rglob("*.html") if "_static" not in p.parts)
