"""Greedy search is a stepwise argmax, with or without caches, with or without neighbours."""

import pytest
import torch

from tests.ttlib.tiny_models import CONFIG, small_model, sources, unpadded
from ttlib.errors import InputError
from ttlib.generate.greedy import greedy
from ttlib.models.seq2seq import Seq2Seq


@torch.no_grad()
def stepwise(model: Seq2Seq, src: torch.Tensor, max_len: int, prefix: list[int]) -> list[int]:
    """One sentence, the whole target again at every step."""
    model.eval()
    ids = list(prefix)
    for _ in range(max_len):
        token = int(model(src, torch.tensor([ids]))[0, -1].argmax())
        if token == model.config.eos_id:
            break
        ids.append(token)
    model.train()
    return ids[len(prefix) :]


@pytest.mark.parametrize("prefix", [None, [7], [1, 9, 4]])
@pytest.mark.parametrize("max_len", [1, 10, 18])
def test_greedy_equals_argmax_without_cache(prefix: list[int] | None, max_len: int) -> None:
    model, src = small_model(), sources(6, 6)
    found = greedy(model, src, max_len, None if prefix is None else torch.tensor(prefix))
    expected = [stepwise(model, unpadded(src, row), max_len, prefix or [1]) for row in range(6)]
    assert found == expected
    assert max_len == 1 or len({len(row) for row in found}) > 1  # some ended before others


def test_greedy_mutants_differ() -> None:
    """The comparison sees a wrong start, a wrong end and padding that is read."""
    model, src = small_model(), sources(6, 6)
    found = greedy(model, src, 10)
    assert found != [stepwise(model, unpadded(src, row), 10, [5]) for row in range(6)]
    assert found != [stepwise(model, unpadded(src, row), 4, [1]) for row in range(6)]
    assert found != [stepwise(model, src[row : row + 1].masked_fill(src[row] == 0, 29), 10, [1]) for row in range(6)]


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    model, src = small_model(), sources(6, 6)
    together = greedy(model, src, 10)
    assert [greedy(model, src[row : row + 1], 10)[0] for row in range(6)] == together
    order = torch.tensor([4, 2, 5, 0, 1, 3])
    assert greedy(model, src[order], 10) == [together[row] for row in order]


def test_no_eos_no_prefix_no_padding_comes_out() -> None:
    found = greedy(small_model(), sources(6, 6), 10, torch.tensor([1, 9]))
    assert all(2 not in row for row in found)
    assert all(row[:2] != [1, 9] for row in found)
    assert all(len(row) <= 10 for row in found)


def test_a_sentence_may_be_empty() -> None:
    model = small_model(towards_eos=50.0)
    assert greedy(model, sources(3, 6), 10) == [[], [], []]


def test_the_models_mode_is_put_back() -> None:
    model = small_model()
    assert greedy(model, sources(2, 4), 5) == greedy(model, sources(2, 4), 5)  # no dropout
    assert model.training
    greedy(model.eval(), sources(2, 4), 5)
    assert not model.training


@pytest.mark.parametrize(
    ("max_len", "prefix", "room"), [(21, None, 20), (0, None, 20), (-3, None, 20), (19, [1, 4, 5], 18)]
)
def test_lengths_beyond_the_positions(max_len: int, prefix: list[int] | None, room: int) -> None:
    start = None if prefix is None else torch.tensor(prefix)
    with pytest.raises(InputError) as caught:
        greedy(small_model(), sources(1, 4), max_len, start)
    assert str(caught.value) == f"max_len: got {max_len}, need 1 to {room}: the model has 20 positions"


@pytest.mark.parametrize(("prefix", "room"), [(None, 20), ([1, 4, 5], 18)])
def test_the_last_position_is_used(prefix: list[int] | None, room: int) -> None:
    model = small_model(towards_eos=-50.0)  # never ends
    found = greedy(model, sources(2, 4), room, None if prefix is None else torch.tensor(prefix))
    assert [len(row) for row in found] == [room, room]
    assert room + len(prefix or [1]) == CONFIG.max_len + 1  # the last token is never fed
