"""The feed-forward layer equals its formula and torch's layers, and looks at one position at a time."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import double_tensor, grads, randomise
from ttlib.nn.feedforward import FeedForward, GeluFeedForward

D, F = 32, 48


def twin(layer: FeedForward) -> nn.Sequential:
    theirs = nn.Sequential(nn.Linear(D, F), nn.ReLU(), nn.Linear(F, D)).double()
    names = {"0.weight": "w_1.weight", "0.bias": "w_1.bias", "2.weight": "w_2.weight", "2.bias": "w_2.bias"}
    theirs.load_state_dict({name: layer.state_dict()[ours] for name, ours in names.items()})
    return theirs


@settings(max_examples=15)
@given(batch=st.integers(1, 3), t=st.integers(1, 6), seed=st.integers(0, 99))
def test_feed_forward_equals_torch_and_formula(batch: int, t: int, seed: int) -> None:
    ours, x = randomise(FeedForward(D, F), seed), double_tensor(batch, t, D, seed=seed)
    theirs = twin(ours)
    a, b = ours(x), theirs(x)
    mine, other = grads(a, [x, *ours.parameters()]), grads(b, [x, *theirs.parameters()])
    torch.testing.assert_close([a, *mine], [b, *other], rtol=1e-10, atol=1e-10)
    by_hand = (x @ ours.w_1.weight.T + ours.w_1.bias).clamp(min=0) @ ours.w_2.weight.T + ours.w_2.bias
    torch.testing.assert_close(a, by_hand, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda layer, x: layer.w_2(nn.functional.gelu(layer.w_1(x))),
        lambda layer, x: layer.w_2(nn.functional.leaky_relu(layer.w_1(x))),
        lambda layer, x: layer.w_2(layer.w_1(x)),
        lambda layer, x: layer.w_2(layer.w_1(x).relu()).relu(),
        lambda layer, x: layer.w_2((layer.w_1(x) - layer.w_1.bias).relu()),
        lambda layer, x: layer(x) - layer.w_2.bias,
        lambda layer, x: layer(x.roll(1, 1)),
    ],
)
def test_feed_forward_mutants_differ(mutant: Callable[[FeedForward, torch.Tensor], torch.Tensor]) -> None:
    ours, x = randomise(FeedForward(D, F)), double_tensor(2, 5, D)
    b = twin(ours)(x)
    torch.testing.assert_close(ours(x), b, rtol=1e-10, atol=1e-10)
    assert (mutant(ours, x) - b).abs().max() > 1e-2


@settings(max_examples=10)
@given(batch=st.integers(1, 3), t=st.integers(1, 6), seed=st.integers(0, 99))
def test_gelu_feed_forward_equals_torch_and_formula(batch: int, t: int, seed: int) -> None:
    ours, x = randomise(GeluFeedForward(D, F), seed), double_tensor(batch, t, D, seed=seed)
    theirs = twin(ours)
    theirs[1] = nn.GELU()
    a, b = ours(x), theirs(x)
    mine, other = grads(a, [x, *ours.parameters()]), grads(b, [x, *theirs.parameters()])
    torch.testing.assert_close([a, *mine], [b, *other], rtol=1e-10, atol=1e-10)
    z = ours.w_1(x)
    phi = torch.distributions.Normal(torch.zeros((), dtype=z.dtype), 1).cdf(z)  # z · Φ(z)
    torch.testing.assert_close(a, ours.w_2(z * phi), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("mutant", "at_least"),
    [
        (lambda layer, x: layer.w_2(layer.w_1(x).relu()), 1e-2),
        (lambda layer, x: layer.w_2(nn.functional.silu(layer.w_1(x))), 1e-2),
        (lambda layer, x: layer.w_2(nn.functional.gelu(layer.w_1(x), approximate="tanh")), 1e-6),
    ],
)
def test_gelu_feed_forward_mutants_differ(
    mutant: Callable[[FeedForward, torch.Tensor], torch.Tensor], at_least: float
) -> None:
    ours, x = randomise(GeluFeedForward(D, F)), double_tensor(2, 5, D)
    theirs = twin(ours)
    theirs[1] = nn.GELU()
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-10, atol=1e-10)
    assert (mutant(ours, x) - theirs(x)).abs().max() > at_least


@pytest.mark.parametrize("kind", [FeedForward, GeluFeedForward])
def test_each_position_is_alone(kind: type[FeedForward]) -> None:
    layer, x = randomise(kind(D, F)), double_tensor(2, 5, D)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(layer(x)[:, order], layer(x[:, order]), rtol=1e-10, atol=1e-10)
    moved = torch.autograd.grad(layer(x)[0, 2].sum(), x)[0].abs().amax(-1)
    assert (moved > 0).int().tolist() == [[0, 0, 1, 0, 0], [0] * 5]


def test_by_hand() -> None:
    layer = FeedForward(2, 3)
    with torch.no_grad():
        layer.w_1.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]))
        layer.w_1.bias.copy_(torch.tensor([0.0, 1.0, 0.0]))
        layer.w_2.weight.copy_(torch.tensor([[1.0, 2.0, 100.0], [0.0, 1.0, 100.0]]))
        layer.w_2.bias.copy_(torch.tensor([0.0, -1.0]))
    # Hidden: 2, 3 + 1 and −5, which relu makes 0. Out: 2 + 2·4 and 4 − 1.
    assert layer(torch.tensor([[[2.0, 3.0]]])).tolist() == [[[10.0, 3.0]]]
