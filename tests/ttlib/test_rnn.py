"""The GRU: equal to torch's in outputs and gradients, causal, and resumable."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import double_tensor, grads, randomise
from ttlib.errors import InputError
from ttlib.nn.rnn import GRU, GRUCell

E, D = 24, 32


def torch_twin(ours: GRU) -> nn.GRU:
    """Torch's layer with our weights."""
    theirs = nn.GRU(ours.cell.w_x.in_features, ours.cell.w_h.in_features, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for kind in ("weight", "bias"):
            getattr(theirs, f"{kind}_ih_l0").copy_(getattr(ours.cell.w_x, kind))
            getattr(theirs, f"{kind}_hh_l0").copy_(getattr(ours.cell.w_h, kind))
    return theirs


@settings(max_examples=10)
@given(batch=st.integers(1, 3), length=st.integers(1, 9), seed=st.integers(0, 99))
def test_gru_equals_torch_forward_and_backward(batch: int, length: int, seed: int) -> None:
    ours = randomise(GRU(E, D), seed)
    theirs = torch_twin(ours)
    x, h = double_tensor(batch, length, E, seed=seed), double_tensor(batch, D, seed=seed + 1)
    (states, last), (their_states, their_last) = ours(x, h), theirs(x, h[None])
    torch.testing.assert_close(states, their_states, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(last, their_last[0], rtol=1e-10, atol=1e-10)
    cell = ours.cell
    mine = grads(states, [x, h, cell.w_x.weight, cell.w_h.weight, cell.w_x.bias, cell.w_h.bias])
    other = grads(their_states, [x, h, *theirs.parameters()])
    torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


Gates = tuple[torch.Tensor, ...]


@pytest.mark.parametrize(
    "mutant",
    [
        lambda x, h, s: _mix((x[0] + h[0]).sigmoid(), 1 - (x[1] + h[1]).sigmoid(), x, h, s),  # z the other way round
        lambda x, h, s: _mix((x[1] + h[1]).sigmoid(), (x[0] + h[0]).sigmoid(), x, h, s),  # r and z swapped
        lambda x, h, s: _mix(torch.ones_like(s), (x[1] + h[1]).sigmoid(), x, h, s),  # no reset
        lambda x, h, s: _mix((x[0] + h[0]).sigmoid(), torch.zeros_like(s), x, h, s),  # nothing is kept
        lambda x, h, s: _mix(x[0].sigmoid(), x[1].sigmoid(), x, h, s),  # gates do not see the state
        lambda x, h, s: _mix(x[0] + h[0], (x[1] + h[1]).sigmoid(), x, h, s),  # no sigmoid
    ],
)
def test_gru_mutants_differ(mutant: Callable[[Gates, Gates, torch.Tensor], torch.Tensor]) -> None:
    cell, x, h = randomise(GRUCell(E, D)), double_tensor(4, E), double_tensor(4, D, seed=1)
    from_x, from_h = cell.w_x(x).chunk(3, -1), cell.w_h(h).chunk(3, -1)
    right = _mix((from_x[0] + from_h[0]).sigmoid(), (from_x[1] + from_h[1]).sigmoid(), from_x, from_h, h)
    torch.testing.assert_close(right, cell(x, h), rtol=1e-10, atol=1e-10)
    assert (mutant(from_x, from_h, h) - cell(x, h)).abs().max() > 1e-2


def _mix(r: torch.Tensor, z: torch.Tensor, from_x: Gates, from_h: Gates, h: torch.Tensor) -> torch.Tensor:
    return (1 - z) * (from_x[2] + r * from_h[2]).tanh() + z * h


def test_reset_before_the_product_is_another_function() -> None:
    """As printed in the paper, r multiplies h before U_n does. That is not torch's GRU, nor ours."""
    cell, x, h = randomise(GRUCell(E, D)), double_tensor(4, E), double_tensor(4, D, seed=1)
    x_r, x_z, x_n = cell.w_x(x).chunk(3, -1)
    h_r, h_z, _ = cell.w_h(h).chunk(3, -1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    n = (x_n + cell.w_h(r * h).chunk(3, -1)[2]).tanh()
    assert ((1 - z) * n + z * h - cell(x, h)).abs().max() > 1e-2


def test_a_state_depends_on_its_past_alone_and_on_all_of_it() -> None:
    gru, x = randomise(GRU(E, D)), double_tensor(1, 6, E)
    other = x.detach().clone()
    other[0, 3] += 1
    same = (gru(x)[0] == gru(other)[0]).all(-1)[0]
    assert same.tolist() == [True, True, True, False, False, False]


def test_reading_in_two_halves_is_reading_at_once() -> None:
    gru, x = randomise(GRU(E, D)), double_tensor(2, 7, E)
    whole, last = gru(x)
    first, middle = gru(x[:, :3])
    second, end = gru(x[:, 3:], middle)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(end, last, rtol=1e-10, atol=1e-10)


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"x: got \(2, 0, 24\), need at least one word on the second axis"):
        GRU(E, D)(torch.zeros(2, 0, E))
