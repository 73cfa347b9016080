"""What every test runs with: small sizes, one thread, no window, the same random numbers each time."""

import os

# Before torch is imported, here and in every process that a test starts.
os.environ["TTLIB_PRESET"] = "ci"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
import torch
from hypothesis import settings

settings.register_profile("ttlib", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("ttlib")


@pytest.fixture(autouse=True)
def seed() -> None:
    """Each test draws the same numbers, whichever ran before it."""
    torch.manual_seed(0)
