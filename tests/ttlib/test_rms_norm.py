"""RMSNorm equals its formula and torch's, and looks at the length of one token at a time."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import double_tensor, grads, randomise
from ttlib.nn.norms import RMSNorm, layer_norm, rms_norm

D = 32


@settings(max_examples=15)
@given(
    shape=st.lists(st.integers(1, 4), min_size=0, max_size=3), seed=st.integers(0, 99), eps=st.sampled_from([1e-5, 0.1])
)
def test_rms_norm_equals_torch_and_formula(shape: list[int], seed: int, eps: float) -> None:
    ours, theirs = randomise(RMSNorm(D, eps), seed), nn.RMSNorm(D, eps, dtype=torch.float64)
    theirs.load_state_dict(ours.state_dict())
    x = double_tensor(*shape, D, seed=seed)
    written_out = rms_norm(x, ours.weight, eps)
    a, b = ours(x), theirs(x)
    mine, other = grads(a, [x, ours.weight]), grads(b, [x, theirs.weight])
    formula = grads(written_out, [x, ours.weight])
    torch.testing.assert_close([a, *mine], [b, *other], rtol=1e-10, atol=1e-10)
    torch.testing.assert_close([written_out, *formula], [b, *other], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda x, w: layer_norm(x, w, torch.zeros_like(w), 0.1),  # the mean is taken off
        lambda x, w: w * x / (x.square().sum(-1, keepdim=True) + 0.1).sqrt(),  # the sum, not the mean
        lambda x, w: w * x / (x.square().mean(-1, keepdim=True).sqrt() + 0.1),  # eps outside the root
        lambda x, w: w * x / x.square().mean(-1, keepdim=True).sqrt(),  # no eps
        lambda x, w: w * x / (x.square().mean(1, keepdim=True) + 0.1).sqrt(),  # over the tokens
        lambda x, w: rms_norm(x, torch.ones_like(w), 0.1),
        lambda x, w: rms_norm(x, w),  # another eps
        lambda x, w: rms_norm(x, 1 + w, 0.1),  # Gemma's: the weight counts from one
    ],
)
def test_rms_norm_mutants_differ(mutant: Callable[..., torch.Tensor]) -> None:
    ours, x = randomise(RMSNorm(D, 0.1)), double_tensor(3, 4, D) + 0.5
    torch.testing.assert_close(rms_norm(x, ours.weight, 0.1), ours(x), rtol=1e-10, atol=1e-10)
    assert (mutant(x, ours.weight) - ours(x)).abs().max() > 1e-3


def test_by_hand() -> None:
    """Mean of the squares (1 + 1 + 1 + 25) / 4 = 7; with eps = 2 the root is 3."""
    x = torch.tensor([[1.0, 1.0, -1.0, 5.0]])
    assert rms_norm(x, 3 * torch.ones(4), eps=2.0).tolist() == [[1.0, 1.0, -1.0, 5.0]]


def test_gradcheck() -> None:
    assert torch.autograd.gradcheck(rms_norm, (double_tensor(2, 3, 5), double_tensor(5, seed=1)))


def test_the_scale_of_the_input_does_not_matter_but_its_mean_does() -> None:
    norm, x = randomise(RMSNorm(D, eps=0.0)), double_tensor(2, 5, D)
    torch.testing.assert_close(norm(3 * x), norm(x), rtol=1e-10, atol=1e-10)
    assert (norm(x + 4) - norm(x)).abs().max() > 0.1


def test_without_a_mean_it_is_layer_norm() -> None:
    norm, x = randomise(RMSNorm(D)), double_tensor(2, 5, D)
    centred = x - x.mean(-1, keepdim=True)
    expected = layer_norm(x, norm.weight, torch.zeros(D, dtype=torch.float64))
    torch.testing.assert_close(norm(centred), expected, rtol=1e-10, atol=1e-10)


def test_each_token_is_alone_and_zeros_stay_zeros() -> None:
    norm, x = randomise(RMSNorm(D)), double_tensor(2, 5, D)
    other = x.detach().clone()
    other[0, 3] = 0
    same = (norm(x) == norm(other)).all(-1)
    assert same.int().tolist() == [[1, 1, 1, 0, 1], [1, 1, 1, 1, 1]]
    assert norm(other)[0, 3].abs().max() == 0
