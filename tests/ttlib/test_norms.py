"""LayerNorm equals its formula and torch's, and looks at one token at a time."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import assert_same_function, copy_weights, double_tensor, grads, randomise
from ttlib.nn.norms import LayerNorm, layer_norm

D = 32


@settings(max_examples=15)
@given(
    shape=st.lists(st.integers(1, 4), min_size=0, max_size=3), seed=st.integers(0, 99), eps=st.sampled_from([1e-5, 0.1])
)
def test_norm_equals_torch_and_formula(shape: list[int], seed: int, eps: float) -> None:
    ours, theirs = randomise(LayerNorm(D, eps), seed), nn.LayerNorm(D, eps, dtype=torch.float64)
    copy_weights(ours, theirs)
    x = double_tensor(*shape, D, seed=seed)
    assert_same_function(ours, theirs, (ours(x), theirs(x)), [x])
    written_out = layer_norm(x, ours.weight, ours.bias, eps)
    torch.testing.assert_close(written_out, theirs(x), rtol=1e-10, atol=1e-10)
    inputs = [x, ours.weight, ours.bias]
    torch.testing.assert_close(grads(written_out, inputs), grads(ours(x), inputs), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda x, w, b: w * x / (x.var(-1, keepdim=True, correction=0) + 0.1).sqrt() + b,  # the mean is dropped
        lambda x, w, b: w * (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 0.1).sqrt() + b,  # n − 1
        lambda x, w, b: w * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True, correction=0) + 0.1) + b,
        lambda x, w, b: w * (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True, correction=0) + b,  # no eps
        lambda x, w, b: w * (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, correction=0) + 0.1).sqrt() + b,
        lambda x, w, b: layer_norm(x, torch.ones_like(w), b, 0.1),
        lambda x, w, b: layer_norm(x, w, torch.zeros_like(b), 0.1),
        lambda x, w, b: layer_norm(x, w, b),  # another eps
    ],
)
def test_norm_mutants_differ(mutant: Callable[..., torch.Tensor]) -> None:
    ours, x = randomise(LayerNorm(D, 0.1)), double_tensor(3, 4, D) + 0.5
    torch.testing.assert_close(layer_norm(x, ours.weight, ours.bias, 0.1), ours(x), rtol=1e-10, atol=1e-10)
    assert (mutant(x, ours.weight, ours.bias) - ours(x)).abs().max() > 1e-3


def test_by_hand() -> None:
    """Mean 3, variance (4 + 0 + 0 + 4) / 4 = 2; with eps = 2 the root is 2."""
    x, ones = torch.tensor([[1.0, 3.0, 3.0, 5.0]]), torch.ones(4)
    assert layer_norm(x, 10 * ones, ones, eps=2.0).tolist() == [[-9.0, 1.0, 1.0, 11.0]]


def test_gradcheck() -> None:
    inputs = (double_tensor(2, 3, 5), double_tensor(5, seed=1), double_tensor(5, seed=2))
    assert torch.autograd.gradcheck(layer_norm, inputs)


def test_a_new_one_gives_mean_zero_and_variance_one() -> None:
    y = LayerNorm(D)(7 + 3 * torch.randn(4, 5, D))
    torch.testing.assert_close(y.mean(-1), torch.zeros(4, 5), rtol=0, atol=1e-5)
    torch.testing.assert_close(y.var(-1, correction=0), torch.ones(4, 5), rtol=1e-4, atol=1e-4)


def test_each_token_is_alone() -> None:
    norm, x = randomise(LayerNorm(D)), double_tensor(2, 5, D)
    other = x.detach().clone()
    other[0, 3] += torch.randn(D)
    same = (norm(x) == norm(other)).all(-1)
    assert same.int().tolist() == [[1, 1, 1, 0, 1], [1, 1, 1, 1, 1]]


def test_scale_and_shift_of_the_input_do_not_matter() -> None:
    norm, x = randomise(LayerNorm(D, eps=0.0)), double_tensor(2, 5, D)
    torch.testing.assert_close(norm(3 * x + 4), norm(x), rtol=1e-10, atol=1e-10)


def test_a_constant_token_gives_the_bias() -> None:
    norm = randomise(LayerNorm(D))
    x = torch.full((1, 2, D), 5.0, dtype=torch.float64, requires_grad=True)
    out = norm(x)
    torch.testing.assert_close(out, norm.bias.expand(1, 2, D), rtol=1e-10, atol=1e-10)
    assert torch.autograd.grad(out.sum(), x)[0].isfinite().all()
