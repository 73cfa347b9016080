"""One head of self-attention: equal to torch's, by shape, by mask, by order."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ttlib.nn import masks
from ttlib.nn.self_attention import SelfAttention


@pytest.fixture
def layer():
    made = SelfAttention(32, 16).double()
    for p in made.parameters():
        nn.init.normal_(p, std=0.3)
    return made


@pytest.fixture
def x():
    return torch.randn(2, 7, 32, dtype=torch.float64)


@pytest.mark.parametrize("causal", [False, True])
def test_self_attention_equals_torch(layer, x, causal):
    q, k, v = layer.w_q(x), layer.w_k(x), layer.w_v(x)
    mask = masks.causal(7) if causal else None
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    torch.testing.assert_close(layer(x, mask), theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda q, k, v: (q @ k.mT).softmax(-1) @ v,  # no root
        lambda q, k, v: (q @ k.mT / math.sqrt(32)).softmax(-1) @ v,  # the root of d_model
        lambda q, k, v: (k @ q.mT / 4).softmax(-1) @ v,  # keys ask
        lambda q, k, v: (q @ k.mT / 4).softmax(-2) @ v,  # columns sum to 1
        lambda q, k, v: (q @ k.mT / 4).softmax(-1) @ k,  # keys mixed
    ],
)
def test_self_attention_mutants_differ(layer, x, mutant):
    ours = mutant(layer.w_q(x), layer.w_k(x), layer.w_v(x))
    assert (ours - layer(x)).abs().max() > 1e-2


def test_weights_are_those_of_the_output(layer, x):
    mask = masks.causal(7)
    weights = layer.weights(x, mask)
    torch.testing.assert_close(weights @ layer.w_v(x), layer(x, mask), rtol=0, atol=1e-12)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 7, dtype=torch.float64))
    assert (weights.triu(1) == 0).all()


def test_permuted_words_give_permuted_outputs(layer, x):
    order = torch.randperm(7)
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order], rtol=0, atol=1e-12)


def test_there_are_three_matrices_and_no_bias(layer):
    shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
    assert shapes == {"w_q.weight": (16, 32), "w_k.weight": (16, 32), "w_v.weight": (16, 32)}
