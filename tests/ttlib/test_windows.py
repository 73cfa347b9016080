"""Windows: every token once, the same for everyone, from any step on."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ttlib.data.windows import GIVEN, TextBatch, Windows, consecutive, read_windows
from ttlib.errors import InputError

sizes = st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(0, 60))  # length, batch, more ids than needed


def make(length: int, batch: int, more: int, **place: int) -> Windows:
    """Ids that are their own places."""
    return Windows(torch.arange(length * (batch + 1) + more), length, batch, **place)


@given(sizes, st.integers(0, 3))
def test_no_target_comes_twice_in_an_epoch(size: tuple[int, int, int], number: int) -> None:
    windows = make(*size)
    length, batch, _ = size
    found = [part for part, n in windows.epoch(number) if n == batch * length]
    assert len(found) >= 1
    for part in found:
        assert part.ids.shape == (batch, length)
        assert part.ids.dtype == torch.long
        assert torch.equal(part.targets, part.ids + 1)
        assert torch.equal(part.ids, part.ids[:, :1] + torch.arange(length))
    targets = torch.cat([part.targets.flatten() for part in found]).tolist()
    assert len(set(targets)) == len(targets)
    left_out = len(windows.ids) - 1 - len(targets)
    assert left_out < length + length * batch  # before the first window, and what fills no batch


@given(sizes, st.integers(0, 3), st.integers(0, 5))
def test_an_epoch_starts_anywhere(size: tuple[int, int, int], number: int, start: int) -> None:
    whole, later = list(make(*size).epoch(number)), list(make(*size).epoch(number, start))
    assert len(later) == max(0, len(whole) - start)
    assert all(torch.equal(a.ids, b.ids) for (a, _), (b, _) in zip(whole[start:], later, strict=True))


@given(sizes, st.integers(1, 3), st.integers(0, 3))
def test_ranks_together_see_what_one_process_sees(size: tuple[int, int, int], world: int, number: int) -> None:
    length, batch, more = size
    batch *= world
    whole = list(make(length, batch, more).epoch(number))
    parts = [list(make(length, batch, more, rank=rank, world=world).epoch(number)) for rank in range(world)]
    for (one, total), *several in zip(whole, *parts, strict=True):
        assert [n for _, n in several] == [total] * world
        together = torch.cat([part.ids for part, _ in several])
        assert sorted(together[:, 0].tolist()) == sorted(one.ids[:, 0].tolist())


def first_ids(windows: Windows, number: int) -> list[int]:
    return torch.cat([part.ids[:, 0] for part, _ in windows.epoch(number)]).tolist()


def test_epochs_and_seeds_differ_and_windows_move() -> None:
    windows = make(8, 4, 200)
    assert first_ids(windows, 0) == first_ids(windows, 0) != sorted(first_ids(windows, 0))
    assert first_ids(windows, 0) != first_ids(windows, 1)
    assert first_ids(windows, 0) != first_ids(make(8, 4, 200, seed=1), 0)
    assert {first_ids(windows, number)[0] % 8 for number in range(60)} == set(range(8))


@given(st.integers(2, 60), st.integers(1, 12), st.integers(1, 12), st.integers(1, 5))
def test_every_token_is_judged_once_with_enough_before_it(n: int, length: int, stride: int, batch: int) -> None:
    stride = min(stride, length)
    judged: list[int] = []
    for part in consecutive(torch.arange(n), length, stride, batch):
        assert len(part.ids) <= batch
        scored = part.targets != GIVEN
        assert torch.equal(part.targets[scored], part.ids[scored] + 1)
        judged += part.targets[scored].tolist()
        for row in part.targets:
            places = (row != GIVEN).nonzero().flatten().tolist()
            assert places == list(range(places[0], len(row)))  # the last ones of the window
            if row[0] == GIVEN:
                assert places[0] >= min(length, n - 1) - stride
    assert judged == list(range(1, n))


def test_without_a_stride_windows_do_not_overlap() -> None:
    (part,) = consecutive(torch.arange(13), 4)
    assert part.ids[:, 0].tolist() == [0, 4, 8]
    assert (part.targets != GIVEN).all()


def test_small_types_become_long_ids_on_the_device_asked_for() -> None:
    batch = read_windows(torch.arange(9, dtype=torch.int16), torch.tensor([0, 5]), 3)
    assert batch.ids.tolist() == [[0, 1, 2], [5, 6, 7]]
    assert batch.targets.tolist() == [[1, 2, 3], [6, 7, 8]]
    moved = batch.to(torch.device("meta"))
    assert isinstance(moved, TextBatch)
    assert (moved.ids.device.type, moved.targets.dtype) == ("meta", torch.long)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 2), "length: got 0, need a positive number"),
        ((4, 0), "batch: got 0, need a positive number"),
        ((4, 3, 0, 0, 2), "batch: got 3, need rows for each of 2 processes alike"),
        ((30, 4), "ids: got 100, need at least 150 tokens for 4 windows of 30"),
    ],
)
def test_sizes_that_cannot_be(sizes: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Windows(torch.arange(100), *sizes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("n", "length", "stride", "batch", "message"),
    [
        (1, 4, None, 2, "ids: got 1, need at least 2 tokens"),
        (9, 4, 0, 2, "stride: got 0, need 1 to 4, the length of a window"),
        (9, 4, 5, 2, "stride: got 5, need 1 to 4, the length of a window"),
        (9, 4, 2, 0, "batch: got 0, need a positive number"),
    ],
)
def test_strides_that_cannot_be(n: int, length: int, stride: int | None, batch: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        next(consecutive(torch.arange(n), length, stride, batch))
    assert str(caught.value) == message
