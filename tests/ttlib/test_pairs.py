"""Batches: each pair once, within the budget, the same for everyone, from any step on."""

from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ttlib.data.pairs import (
    IdPair,
    PairBatch,
    PairBatches,
    batches_by_tokens,
    collate,
    n_tokens,
    pad_rows,
    share_of_padding,
)
from ttlib.errors import InputError

sizes = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 11)), min_size=1, max_size=40)


def numbered(sizes: list[tuple[int, int]]) -> list[IdPair]:
    """Pairs of these lengths; the first source id names the pair."""
    return [([100 + i, *([5] * (s - 1))], [1, *([6] * (t - 1)), 2]) for i, (s, t) in enumerate(sizes)]


def names(batch: PairBatch) -> list[int]:
    return (batch.src[:, 0] - 100).tolist()


def deal(pairs: list[IdPair], budget: int, seed: int = 0) -> list[list[int]]:
    return batches_by_tokens(pairs, budget, torch.Generator().manual_seed(seed))


@given(sizes, st.integers(24, 90), st.integers(0, 5))
def test_each_pair_is_in_one_batch_within_the_budget(lengths: list[tuple[int, int]], budget: int, seed: int) -> None:
    pairs = numbered(lengths)
    batches = deal(pairs, budget, seed)
    assert sorted(i for rows in batches for i in rows) == list(range(len(pairs)))
    for rows in batches:
        wide = max(len(pairs[i][0]) for i in rows) + max(len(pairs[i][1]) - 1 for i in rows)
        assert wide * len(rows) <= budget
    assert batches == deal(pairs, budget, seed)


@given(sizes, st.integers(0, 3), st.integers(0, 4))
def test_an_epoch_starts_anywhere(lengths: list[tuple[int, int]], number: int, start: int) -> None:
    batches = PairBatches(numbered(lengths), 60, seed=1)
    whole, later = list(batches.epoch(number)), list(batches.epoch(number, start))
    assert len(later) == max(0, len(whole) - start)
    for (a, n), (b, m) in zip(whole[start:], later, strict=True):
        assert n == m
        assert torch.equal(a.src, b.src)
        assert torch.equal(a.tgt_out, b.tgt_out)


@given(sizes, st.integers(1, 4), st.integers(0, 2))
def test_ranks_together_see_what_one_process_sees(lengths: list[tuple[int, int]], world: int, start: int) -> None:
    pairs = numbered(lengths)
    whole = list(PairBatches(pairs, 60).epoch(2, start))
    parts = [list(PairBatches(pairs, 60, rank=rank, world=world).epoch(2, start)) for rank in range(world)]
    for (one, total), *several in zip(whole, *parts, strict=True):
        assert [n for _, n in several] == [total] * world
        real = [(batch, (batch.tgt_out != 0).any(1)) for batch, _ in several]
        seen = sorted(name for batch, rows in real for name, row in zip(names(batch), rows, strict=True) if row)
        assert seen == sorted(names(one))
        assert sum(int((batch.tgt_out != 0).sum()) for batch, _ in several) == total


def test_a_process_without_rows_gets_one_with_nothing_to_predict() -> None:
    ((batch, n),) = PairBatches(numbered([(3, 4)]), 60, rank=1, world=2).epoch(0)
    assert n == 4
    assert batch.src.shape == batch.tgt_in.shape == (1, 8)
    assert batch.tgt_in[0, 0] == 1
    assert (batch.tgt_out == 0).all()


def test_epochs_and_seeds_differ() -> None:
    pairs = numbered([(2 + i % 7, 2 + i % 5) for i in range(60)])

    def order(seed: int, number: int) -> list[list[int]]:
        return [names(batch) for batch, _ in PairBatches(pairs, 60, seed).epoch(number)]

    assert order(0, 0) == order(0, 0)
    orders = [order(0, 0), order(0, 1), order(1, 0)]
    assert all(a != b for i, a in enumerate(orders) for b in orders[:i])


def test_batches_are_alike_in_length_but_not_sorted() -> None:
    pairs = numbered([(3 + i % 20, 3 + (i * 7) % 20) for i in range(400)])
    batches = deal(pairs, 300)
    in_order = [list(range(start, start + 8)) for start in range(0, 400, 8)]
    assert share_of_padding(pairs, batches) < 0.5 * share_of_padding(pairs, in_order)
    mean_length = [sum(len(pairs[i][1]) for i in rows) / len(rows) for rows in batches]
    assert mean_length != sorted(mean_length)


def test_share_of_padding_by_hand() -> None:
    pairs = numbered([(2, 1), (4, 3)])  # 3 and 7 tokens
    assert share_of_padding(pairs, [[0], [1]]) == 0
    assert share_of_padding(pairs, [[0, 1]]) == pytest.approx(1 - 10 / 14)


def test_collate() -> None:
    pairs = [([5, 6, 2], [1, 7, 2]), ([5, 2], [1, 7, 8, 2])]
    batch = collate(pairs)
    assert batch.src.tolist() == [[5, 6, 2], [5, 2, 0]]
    assert batch.tgt_in.tolist() == [[1, 7, 2], [1, 7, 8]]
    assert batch.tgt_out.tolist() == [[7, 2, 0], [7, 8, 2]]
    assert n_tokens(pairs) == 5
    other = collate(pairs, pad_id=9)
    assert (other.src[1, 2], other.tgt_out[0, 2]) == (9, 9)
    wide = collate(pairs, multiple=8)
    assert wide.src.shape == wide.tgt_in.shape == wide.tgt_out.shape == (2, 8)
    assert torch.equal(wide.tgt_out[:, :3], batch.tgt_out)
    assert (wide.tgt_out[:, 3:] == 0).all()


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=9), min_size=1, max_size=5), st.integers(1, 8))
def test_pad_rows(rows: list[list[int]], multiple: int) -> None:
    table = pad_rows(rows, 0, multiple)
    longest = max(map(len, rows))
    assert table.size(1) % multiple == 0
    assert longest <= table.size(1) < longest + multiple
    assert [[i for i in row if i] for row in table.tolist()] == rows


def test_wrong_input() -> None:
    with pytest.raises(InputError, match=r"rows: got \[\], need at least one sequence"):
        pad_rows([])
    with pytest.raises(InputError, match="max_tokens: got 16, need at least 17, the tokens of one pair"):
        deal([([3] * 9, [1] * 9)], 16)
    assert deal([([3] * 9, [1] * 9)], 17) == [[0]]
    with pytest.raises(InputError, match="pairs: got 0, need at least one pair"):
        PairBatches([], 60)


def test_a_batch_moves_to_a_device() -> None:
    batch = collate(numbered([(3, 4)])).to(torch.device("meta"))
    assert {x.device.type for x in (batch.src, batch.tgt_in, batch.tgt_out)} == {"meta"}


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    batches = PairBatches(numbered([(3, 3)] * 200), 20)
    assert len(list(islice(batches.epoch(0), 3))) == 3
