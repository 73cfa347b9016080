"""What every test runs with: small sizes, one thread, no window, the same random numbers each time."""

import os

# Before torch is imported, here and in every process that a test starts.
os.environ["TTLIB_PRESET"] = "ci"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

from book.browser import Browser, find_browser

settings.register_profile("ttlib", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("ttlib")


@pytest.fixture(autouse=True)
def seed() -> None:
    """Each test draws the same numbers, whichever ran before it."""
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real, headless browser; each test file gets a fresh one."""
    program = find_browser()
    if program is None:
        assert "CI" not in os.environ, "CI needs Chrome or Chromium"
        pytest.skip("no Chrome or Chromium on this machine")
    with Browser(program) as browser:
        yield browser
