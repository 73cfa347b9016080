"""The gated feed-forward layer equals transformers' and its formula."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaMLP

from tests.ttlib.torch_twins import double_tensor, grads, randomise
from ttlib.models.count import count_parameters
from ttlib.nn.feedforward import FeedForward, SwiGLU

D, F = 32, 48


def twin(layer: SwiGLU) -> LlamaMLP:
    theirs = LlamaMLP(LlamaConfig(hidden_size=D, intermediate_size=F)).double()
    names = {"gate_proj": "w_gate", "up_proj": "w_1", "down_proj": "w_2"}
    theirs.load_state_dict({f"{name}.weight": layer.state_dict()[f"{ours}.weight"] for name, ours in names.items()})
    return theirs


@settings(max_examples=15)
@given(batch=st.integers(1, 3), t=st.integers(1, 6), seed=st.integers(0, 99))
def test_swiglu_equals_transformers_and_formula(batch: int, t: int, seed: int) -> None:
    ours, x = randomise(SwiGLU(D, F), seed), double_tensor(batch, t, D, seed=seed)
    theirs = twin(ours)
    a, b = ours(x), theirs(x)
    own = [ours.w_gate.weight, ours.w_1.weight, ours.w_2.weight]
    other = [theirs.gate_proj.weight, theirs.up_proj.weight, theirs.down_proj.weight]
    mine, others = grads(a, [x, *own]), grads(b, [x, *other])
    torch.testing.assert_close([a, *mine], [b, *others], rtol=1e-10, atol=1e-10)
    gate = x @ own[0].T
    by_hand = (gate / (1 + (-gate).exp()) * (x @ own[1].T)) @ own[2].T
    torch.testing.assert_close(a, by_hand, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda m, x: m.w_2(m.w_gate(x) * m.w_1(x)),  # no bend (bilinear)
        lambda m, x: m.w_2(m.w_gate(x).sigmoid() * m.w_1(x)),  # GLU
        lambda m, x: m.w_2(m.w_gate(x).relu() * m.w_1(x)),  # ReGLU
        lambda m, x: m.w_2(nn.functional.gelu(m.w_gate(x)) * m.w_1(x)),  # GEGLU
        lambda m, x: m.w_2(nn.functional.silu(m.w_1(x)) * m.w_gate(x)),  # the two changed over
        lambda m, x: m.w_2(nn.functional.silu(m.w_gate(x) * m.w_1(x))),  # the bend outside
        lambda m, x: m.w_2(nn.functional.silu(m.w_gate(x)) + m.w_1(x)),
        lambda m, x: m.w_2(nn.functional.silu(m.w_gate(x))),  # no gate
        lambda m, x: m(x.roll(1, 1)),
    ],
)
def test_swiglu_mutants_differ(mutant: Callable[[SwiGLU, torch.Tensor], torch.Tensor]) -> None:
    ours, x = randomise(SwiGLU(D, F)), double_tensor(2, 5, D)
    torch.testing.assert_close(ours(x), twin(ours)(x), rtol=1e-10, atol=1e-10)
    assert (mutant(ours, x) - ours(x)).abs().max() > 1e-2


def test_two_thirds_of_the_width_cost_the_same() -> None:
    gated, plain = SwiGLU(96, 256), FeedForward(96, 384)
    assert count_parameters(gated) == count_parameters(plain) - (384 + 96)  # the biases


def test_each_position_is_alone() -> None:
    layer, x = randomise(SwiGLU(D, F)), double_tensor(2, 5, D)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(layer(x)[:, order], layer(x[:, order]), rtol=1e-10, atol=1e-10)


def test_by_hand() -> None:
    """One neuron: gate 2 gives silu(2) = 1.7616, times 3, times 10."""
    layer = SwiGLU(1, 1)
    with torch.no_grad():
        for p, value in zip((layer.w_gate, layer.w_1, layer.w_2), (2.0, 3.0, 10.0), strict=True):
            p.weight.fill_(value)
    assert layer(torch.ones(1, 1, 1)).item() == pytest.approx(52.848, abs=1e-3)
