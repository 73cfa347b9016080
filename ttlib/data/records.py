"""The record of a translation corpus, and its split into parts that share nothing."""

from collections.abc import Iterable
from typing import NamedTuple

from ttlib.data.split import Split, deal_out


class Pair(NamedTuple):
    """A sentence and its translation. ``group`` names the text that it is from: neighbours share it."""

    src: str
    tgt: str
    group: str


def split_by_group(pairs: Iterable[Pair], valid: float = 0.02, test: float = 0.04, seed: int = 0) -> Split[Pair]:
    """Deal whole groups out to train, valid and test (shares of the groups).

    Neighbouring sentences repeat each other's words. Dealing sentences out one by one would put the
    neighbours of test sentences into training and flatter every score.

    Raises:
        InputError: the shares leave nothing to train on.
    """
    pairs = list(pairs)
    groups = deal_out(sorted({pair.group for pair in pairs}), valid, test, seed)

    def of(part: list[str]) -> list[Pair]:
        members = set(part)
        return [pair for pair in pairs if pair.group in members]

    return Split(of(groups.train), of(groups.valid), of(groups.test))
