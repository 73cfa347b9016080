"""Batches of sentence pairs: alike in length, equal in tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ttlib.data.batch import Batch, epoch_seed
from ttlib.errors import require
from ttlib.shapes import Int, Tensor

Ids = list[int]
IdPair = tuple[Ids, Ids]  # (source ids with eos, target ids between bos and eos)


@dataclass(frozen=True)
class PairBatch(Batch):
    """Padded ids. ``tgt_in`` begins with bos; ``tgt_out`` is the same shifted left and ends with eos."""

    src: Int[Tensor, "B S"]
    tgt_in: Int[Tensor, "B T"]
    tgt_out: Int[Tensor, "B T"]


def pad_rows(rows: Sequence[Ids], pad_id: int = 0, multiple: int = 1) -> Int[Tensor, "B T"]:
    """Lists of ids as one tensor, filled up on the right to the longest, rounded up to a multiple.

    Raises:
        InputError: there are no rows.
    """
    require(len(rows) > 0, "rows", rows, "at least one sequence")
    width = -(-max(len(row) for row in rows) // multiple) * multiple
    return torch.tensor([row + [pad_id] * (width - len(row)) for row in rows], dtype=torch.long)


def collate(pairs: Sequence[IdPair], pad_id: int = 0, multiple: int = 1) -> PairBatch:
    """Pairs as a batch. Few distinct widths (``multiple`` = 8) let the memory allocator reuse its blocks."""
    tgt = pad_rows([t for _, t in pairs], pad_id, 1)
    extra = (-(tgt.size(1) - 1)) % multiple
    tgt = torch.nn.functional.pad(tgt, (0, extra), value=pad_id)
    src = pad_rows([s for s, _ in pairs], pad_id, multiple)
    return PairBatch(src, tgt[:, :-1], tgt[:, 1:])


def n_tokens(pairs: Sequence[IdPair]) -> int:
    """Target tokens to predict: all but bos."""
    return sum(len(t) - 1 for _, t in pairs)


def batches_by_tokens(pairs: Sequence[IdPair], max_tokens: int, generator: torch.Generator) -> list[list[int]]:
    """Deal the pairs into batches of similar length, each at most ``max_tokens`` with its padding, shuffled.

    Padding costs as much as words do. Sorting by length (ties in random order) leaves little of it;
    a budget in tokens rather than sentences keeps the work per batch even.

    Raises:
        InputError: one pair alone exceeds the budget.
    """
    order = torch.randperm(len(pairs), generator=generator).tolist()
    order.sort(key=lambda i: (len(pairs[i][1]) // 4, len(pairs[i][0])))
    batches: list[list[int]] = [[]]
    wide_src = wide_tgt = 0
    for i in order:
        s, t = len(pairs[i][0]), len(pairs[i][1]) - 1
        require(s + t <= max_tokens, "max_tokens", max_tokens, f"at least {s + t}, the tokens of one pair")
        wide_src, wide_tgt = max(wide_src, s), max(wide_tgt, t)
        if (wide_src + wide_tgt) * (len(batches[-1]) + 1) > max_tokens:
            batches.append([])
            wide_src, wide_tgt = s, t
        batches[-1].append(i)
    shuffled = torch.randperm(len(batches), generator=generator).tolist()
    return [batches[i] for i in shuffled if batches[i]]


def share_of_padding(pairs: Sequence[IdPair], batches: Sequence[Sequence[int]]) -> float:
    """Which part of all the positions in these batches holds no token."""
    real = padded = 0
    for rows in batches:
        s, t = [len(pairs[i][0]) for i in rows], [len(pairs[i][1]) - 1 for i in rows]
        real += sum(s) + sum(t)
        padded += (max(s) + max(t)) * len(rows)
    return 1 - real / padded


class PairBatches:
    """The batches of each epoch: the same for the same seed, whoever asks, from whichever step on.

    With several processes, each takes every ``world``-th pair of every batch, so that together they see
    what one process would see. ``pad_id`` fills up the shorter ones.

    Raises:
        InputError: there are no pairs.
    """

    def __init__(
        self, pairs: Sequence[IdPair], max_tokens: int, seed: int = 0, rank: int = 0, world: int = 1, pad_id: int = 0
    ) -> None:
        require(len(pairs) > 0, "pairs", 0, "at least one pair")  # else epoch would follow empty epoch
        self.pairs, self.max_tokens, self.seed = pairs, max_tokens, seed
        self.rank, self.world, self.pad_id = rank, world, pad_id

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[PairBatch, int]]:
        """Yield (this process's part of the batch, target tokens in the whole batch), from batch ``start`` on."""
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, number))
        for rows in batches_by_tokens(self.pairs, self.max_tokens, generator)[start:]:
            whole = [self.pairs[i] for i in rows]
            part = whole[self.rank :: self.world] or [
                (whole[0][0], whole[0][1][:1] + [self.pad_id])
            ]  # nothing to predict
            yield collate(part, self.pad_id, multiple=8), n_tokens(whole)
