"""The chunked loss is torch's cross-entropy, with its gradients."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from ttlib.train.loss import CHUNK, cross_entropy, linear_cross_entropy

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
SIZES = [1, 5, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3]


def inputs(n: int, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    states, weight = 0.3 * torch.randn(n, 8, dtype=dtype), 0.3 * torch.randn(11, 8, dtype=dtype)
    return states.requires_grad_(), weight.requires_grad_(), torch.randint(0, 11, (n,))


def torchs(smoothing: float) -> Loss:
    return lambda s, w, t: F.cross_entropy(s @ w.T, t, label_smoothing=smoothing, reduction="sum")


def ours(smoothing: float) -> Loss:
    return lambda s, w, t: linear_cross_entropy(s, w, t, smoothing)


def assert_same_loss(a: Loss, b: Loss, n: int, tolerance: float = 1e-10) -> None:
    """The same number and the same gradients, also where the loss is scaled before it goes back."""
    states, weight, targets = inputs(n)
    found = []
    for loss in (a, b):
        value = loss(states, weight, targets)
        found.append((value, *torch.autograd.grad(0.7 * value, (states, weight))))
    for x, y in zip(*found, strict=True):
        torch.testing.assert_close(x, y, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_linear_cross_entropy_equals_torch(n: int, smoothing: float) -> None:
    assert_same_loss(ours(smoothing), torchs(smoothing), n)


@pytest.mark.parametrize(
    "broken",
    [
        ours(0.0),  # no smoothing
        lambda s, w, t: linear_cross_entropy(s, w, (t + 1) % 11, 0.1),  # wrong target
        lambda s, w, t: linear_cross_entropy(s, w, t, 0.1) / len(t),  # mean instead of sum
        lambda s, w, t: linear_cross_entropy(s[:CHUNK], w, t[:CHUNK], 0.1),  # the second chunk is lost
        lambda s, w, t: linear_cross_entropy(s.detach(), w, t, 0.1) + 0 * s.sum(),  # no gradient to the states
        lambda s, w, t: linear_cross_entropy(s, w.detach(), t, 0.1) + 0 * w.sum(),  # no gradient to the table
    ],
)
def test_linear_cross_entropy_mutants_differ(broken: Loss) -> None:
    with pytest.raises(AssertionError):
        assert_same_loss(broken, torchs(0.1), CHUNK + 1)


def test_gradcheck() -> None:
    states, weight, targets = inputs(5)
    assert torch.autograd.gradcheck(lambda s, w: linear_cross_entropy(s, w, targets, 0.1), (states, weight))


def test_plain_form_equals_torch() -> None:
    states, weight, targets = inputs(9)
    logits = states @ weight.T
    assert cross_entropy(logits, targets, 0.1) == torchs(0.1)(states, weight, targets)


def test_plain_mutant_differs() -> None:
    states, weight, targets = inputs(9)
    assert cross_entropy(states @ weight.T, targets) != torchs(0.1)(states, weight, targets)


def test_without_rows_the_loss_is_zero_and_so_are_the_gradients() -> None:
    """What a process gets whose part of a batch is empty."""
    states, weight, targets = inputs(0)
    loss = linear_cross_entropy(states, weight, targets, 0.1)
    loss.backward()
    assert loss == 0
    assert states.grad.shape == (0, 8)
    assert torch.equal(weight.grad, torch.zeros(11, 8, dtype=torch.float64))


def test_bfloat16_states_are_summed_in_float32() -> None:
    states, weight, targets = inputs(50, torch.float32)
    low = states.detach().bfloat16().requires_grad_()
    loss = linear_cross_entropy(low, weight, targets, 0.1)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, torchs(0.1)(states, weight, targets), rtol=1e-2, atol=0)
    loss.backward()
    assert low.grad.dtype == torch.bfloat16
    assert weight.grad.dtype == torch.float32
