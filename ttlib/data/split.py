"""What is learnt from, what is chosen by and what is judged by, dealt out by a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ttlib.errors import require

T = TypeVar("T")


@dataclass(frozen=True)
class Split(Generic[T]):
    """Three lists: to learn from, to choose by and to be judged by."""

    train: list[T]
    valid: list[T]
    test: list[T]


def deal_out(items: Sequence[T], valid: float, test: float, seed: int) -> Split[T]:
    """Shuffle by the seed, and cut into train, valid and test (shares of the items).

    Raises:
        InputError: the shares leave nothing to train on.
    """
    require(valid >= 0 <= test and valid + test < 1, "valid + test", valid + test, "shares that leave some to train on")
    dealt = list(items)
    random.Random(seed).shuffle(dealt)
    n_test, n_valid = round(len(dealt) * test), round(len(dealt) * valid)
    return Split(dealt[n_test + n_valid :], dealt[n_test : n_test + n_valid], dealt[:n_test])
