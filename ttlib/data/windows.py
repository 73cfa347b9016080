"""A long text as batches for a language model: random windows to learn from, consecutive ones to be judged by."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ttlib.data.batch import Batch, epoch_seed
from ttlib.errors import require
from ttlib.shapes import Int, Tensor

GIVEN = -1  # the target of a position that is read, but not scored


@dataclass(frozen=True)
class TextBatch(Batch):
    """Ids, and at each position the id that comes next, or `GIVEN` where nothing is asked."""

    ids: Int[Tensor, "B T"]
    targets: Int[Tensor, "B T"]


def read_windows(ids: Int[Tensor, " N"], starts: Int[Tensor, " B"], length: int) -> TextBatch:
    """The windows of ``length`` ids that begin at ``starts``; the targets stand one place further on."""
    rows = ids[starts[:, None] + torch.arange(length + 1)].long()  # (B, T + 1)
    return TextBatch(rows[:, :-1], rows[:, 1:])


class Windows:
    """Random windows of one long text: the same for the same seed, whoever asks, from whichever step on.

    In each epoch the text is cut into neighbouring windows, from a new random place on, and these are shuffled: every
    token is predicted once in an epoch, and never always from the same place in a window. What does not fill
    a batch is left out of that epoch. With several processes, each takes every ``world``-th row of every batch.

    Raises:
        InputError: a size is not positive, a batch cannot be shared evenly, or the text is too short for one batch.
    """

    def __init__(
        self, ids: Int[Tensor, " N"], length: int, batch: int, seed: int = 0, rank: int = 0, world: int = 1
    ) -> None:
        require(length > 0, "length", length, "a positive number")
        require(batch > 0, "batch", batch, "a positive number")
        require(batch % world == 0, "batch", batch, f"rows for each of {world} processes alike")
        need = length * (batch + 1)  # the first window may begin almost one length late
        require(len(ids) >= need, "ids", len(ids), f"at least {need} tokens for {batch} windows of {length}")
        self.ids, self.length, self.batch = ids, length, batch
        self.seed, self.rank, self.world = seed, rank, world

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[TextBatch, int]]:
        """Yield (this process's rows of the batch, targets in the whole batch), from batch ``start`` on."""
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, number))
        first = int(torch.randint(self.length, (), generator=generator))
        n = (len(self.ids) - 1 - first) // self.length
        order = first + torch.randperm(n, generator=generator) * self.length
        for rows in order[: n // self.batch * self.batch].view(-1, self.batch)[start:]:
            part = read_windows(self.ids, rows[self.rank :: self.world], self.length)
            yield part, self.batch * self.length


def consecutive(ids: Int[Tensor, " N"], length: int, stride: int | None = None, batch: int = 32) -> Iterator[TextBatch]:
    """Yield the text from beginning to end; every id but the first is a target exactly once.

    Windows begin ``stride`` apart (by default ``length``, so that they do not overlap). Of a window that overlaps
    the one before it, only the new targets are scored: each then has at least ``length - stride`` tokens before it.

    Raises:
        InputError: there are fewer than 2 ids, or the stride is not 1 to ``length``.
    """
    stride = length if stride is None else stride
    require(len(ids) > 1, "ids", len(ids), "at least 2 tokens")
    require(1 <= stride <= length, "stride", stride, f"1 to {length}, the length of a window")
    require(batch > 0, "batch", batch, "a positive number")
    n = len(ids) - 1
    length = min(length, n)
    starts = torch.tensor([*range(0, n - length, stride), n - length])  # the last one ends with the text
    scored = torch.cat([torch.tensor([0]), starts[:-1] + length])  # the first target that no window had before
    for rows, first in zip(starts.split(batch), scored.split(batch), strict=True):
        part = read_windows(ids, rows, length)
        known = rows[:, None] + torch.arange(length) < first[:, None]
        yield TextBatch(part.ids, part.targets.masked_fill(known, GIVEN))
