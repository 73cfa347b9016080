"""Sinusoids have the closed form and its properties; learned positions are rows of a table."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ttlib.errors import InputError
from ttlib.nn.positions import LearnedPositions, SinusoidalPositions, sinusoids

BOTH = pytest.mark.parametrize("kind", [SinusoidalPositions, LearnedPositions])


def closed_form(length: int, d_model: int, base: float = 10000.0) -> torch.Tensor:
    """Vaswani et al. 2017, §3.5, number by number."""
    table = torch.zeros(length, d_model, dtype=torch.float64)
    for t in range(length):
        for i in range(d_model // 2):
            table[t, 2 * i] = math.sin(t / base ** (2 * i / d_model))
            table[t, 2 * i + 1] = math.cos(t / base ** (2 * i / d_model))
    return table


@settings(max_examples=12)
@given(length=st.integers(1, 40), half=st.integers(1, 20))
def test_sinusoids_equals_closed_form(length: int, half: int) -> None:
    table = sinusoids(length, 2 * half)
    assert table.dtype == torch.float32
    torch.testing.assert_close(table.double(), closed_form(length, 2 * half), rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    "mutant",
    [
        closed_form(30, 32, base=1000.0),
        closed_form(31, 32)[1:],  # begins at 1
        closed_form(30, 32).roll(1, -1),  # sine and cosine swapped
        torch.cat([closed_form(30, 32)[:, 0::2], closed_form(30, 32)[:, 1::2]], -1),  # halves, not pairs
        closed_form(30, 64)[:, :32],  # the frequencies of another width
    ],
)
def test_sinusoids_mutants_differ(mutant: torch.Tensor) -> None:
    assert mutant.shape == (30, 32)
    assert (sinusoids(30, 32).double() - mutant).abs().max() > 1e-2


def test_far_positions_are_exact() -> None:
    row = sinusoids(5001, 64)[5000].double()
    expected = [f(5000 / 10000 ** (2 * i / 64)) for i in range(32) for f in (math.sin, math.cos)]
    torch.testing.assert_close(row, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-7)


def test_the_first_position_by_hand() -> None:
    assert sinusoids(2, 4)[0].tolist() == [0.0, 1.0, 0.0, 1.0]
    expected = [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]
    assert sinusoids(2, 4)[1].tolist() == pytest.approx(expected, abs=1e-7)


def test_dot_products_depend_on_the_distance_alone() -> None:
    table = sinusoids(60, 32).double()
    products = table @ table.T
    for distance in range(60):
        diagonal = products.diagonal(distance)
        assert (diagonal - diagonal[0]).abs().max() < 1e-5
        expected = sum(math.cos(distance / 10000 ** (2 * i / 32)) for i in range(16))
        assert diagonal[0].item() == pytest.approx(expected, abs=1e-5)


@settings(max_examples=12)
@given(t=st.integers(0, 100), shift=st.integers(0, 50))
def test_a_shift_is_a_rotation_of_each_pair(t: int, shift: int) -> None:
    table = sinusoids(151, 16).double().view(151, 8, 2)
    for i in range(8):
        angle = shift / 10000 ** (2 * i / 16)
        turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]).double()
        torch.testing.assert_close(turn @ table[t, i], table[t + shift, i], rtol=0, atol=1e-6)


def test_no_two_positions_are_alike() -> None:
    table = sinusoids(500, 32).double()
    assert (torch.cdist(table, table) + 9 * torch.eye(500)).min() > 0.1


@BOTH
@pytest.mark.parametrize("start", [0, 3, 5])
def test_rows_are_added_from_the_start(kind: type[nn.Module], start: int) -> None:
    layer, x = kind(9, 8), torch.randn(2, 4, 8)
    assert torch.equal(layer(x, start), x + layer.table[start : start + 4])
    if start:
        assert not torch.allclose(layer(x, start), layer(x))


@BOTH
@pytest.mark.parametrize(("length", "start", "end"), [(10, 0, 10), (4, 6, 10), (1, 9, 10)])
def test_a_sequence_ends_at_max_len(kind: type[nn.Module], length: int, start: int, end: int) -> None:
    layer = kind(9, 8)
    assert layer(torch.zeros(1, 9, 8)).shape == (1, 9, 8)
    with pytest.raises(InputError, match=rf"sequence length: got {end}, need at most max_len=9 positions"):
        layer(torch.zeros(1, length, 8), start)


@pytest.mark.parametrize("d_model", [1, 7, 33])
def test_an_odd_width_is_refused(d_model: int) -> None:
    for make in (sinusoids, SinusoidalPositions):
        with pytest.raises(InputError, match=rf"d_model: got {d_model}, need an even number"):
            make(5, d_model)


def test_sinusoids_are_neither_trained_nor_stored() -> None:
    layer = SinusoidalPositions(9, 8)
    assert list(layer.parameters()) == []
    assert layer.state_dict() == {}
    assert layer.double().table.dtype == torch.float64  # but they follow the model


def test_learned_positions_are_trained_and_stored() -> None:
    layer = LearnedPositions(9, 8)
    layer(torch.randn(3, 4, 8), 2).sum().backward()
    assert layer.table.grad.tolist() == [[3.0 if 2 <= t < 6 else 0.0] * 8 for t in range(9)]
    assert list(layer.state_dict()) == ["table"]
    assert LearnedPositions(400, 64).table.std().item() == pytest.approx(1 / 8, rel=0.05)


@BOTH
def test_a_wrong_width_is_refused(kind: type[nn.Module]) -> None:
    with pytest.raises(TypeError, match="Type-check error"):
        kind(9, 8)(torch.zeros(4, 8))
