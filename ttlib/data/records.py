"""The record of a translation corpus, and its split into parts that share nothing."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Pair(NamedTuple):
    """A sentence and its translation. ``group`` names the text that it is from: neighbours share it."""

    src: str
    tgt: str
    group: str


@dataclass(frozen=True)
class Split:
    """Three lists of pairs; no group stands in two of them."""

    train: list[Pair]
    valid: list[Pair]
    test: list[Pair]


def split_by_group(pairs: Iterable[Pair], valid: float = 0.02, test: float = 0.04, seed: int = 0) -> Split:
    """Deal whole groups out to train, valid and test (shares of the groups).

    Neighbouring sentences repeat each other's words. Dealing sentences out one by one would put the
    neighbours of test sentences into training and flatter every score.
    """
    pairs = list(pairs)
    groups = sorted({pair.group for pair in pairs})
    random.Random(seed).shuffle(groups)
    n_test, n_valid = round(len(groups) * test), round(len(groups) * valid)
    part = dict.fromkeys(groups, "train")
    part |= dict.fromkeys(groups[:n_test], "test")
    part |= dict.fromkeys(groups[n_test : n_test + n_valid], "valid")
    dealt: dict[str, list[Pair]] = {"train": [], "valid": [], "test": []}
    for pair in pairs:
        dealt[part[pair.group]].append(pair)
    return Split(**dealt)
