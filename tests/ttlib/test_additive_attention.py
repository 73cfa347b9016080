"""Bahdanau's attention: equal to its formula, pair by pair, with gradients and masks."""

from collections.abc import Callable

import pytest
import torch

from tests.ttlib.torch_twins import double_tensor, grads, open_mask, randomise
from ttlib.errors import InputError
from ttlib.nn.additive_attention import AdditiveAttention

DD, DE, A = 32, 24, 40


def by_formula(
    layer: AdditiveAttention, s: torch.Tensor, h: torch.Tensor, mask: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Equations 5 and 6 with a loop over every pair; hidden places are left out of the sums."""
    w, u, v = layer.w.weight, layer.u.weight, layer.v.weight[0]
    weights = s.new_zeros(len(s), s.size(1), h.size(1))
    rows = []
    for b in range(len(s)):
        for t in range(s.size(1)):
            seen = [i for i in range(h.size(1)) if mask is None or mask[t, i]]
            e = torch.stack([v @ torch.tanh(w @ s[b, t] + u @ h[b, i]) for i in seen]).exp()
            weights[b, t, seen] = (e / e.sum()).detach()
            rows.append(sum(a * h[b, i] for a, i in zip(e / e.sum(), seen, strict=True)))
    return torch.stack(rows).view(len(s), s.size(1), -1), weights


@pytest.mark.parametrize("kind", ["none", "causal", "random"])
def test_additive_equals_formula_forward_and_backward(kind: str) -> None:
    layer = randomise(AdditiveAttention(DD, DE, A))
    s, h, mask = double_tensor(2, 4, DD), double_tensor(2, 5, DE, seed=1), open_mask(4, 5, kind)
    (context, weights), (wanted, shares) = layer(s, h, mask), by_formula(layer, s, h, mask)
    torch.testing.assert_close(context, wanted, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(weights, shares, rtol=1e-10, atol=1e-10)
    inputs = [s, h, *layer.parameters()]
    torch.testing.assert_close(grads(context, inputs), grads(wanted, inputs), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda ws, uh, v, h: ((ws + uh) @ v[0]).softmax(-1) @ h,  # no tanh: s would cancel
        lambda ws, uh, v, h: ((ws * uh).tanh() @ v[0]).softmax(-1) @ h,  # a product, not a sum
        lambda ws, uh, v, h: (ws + uh).tanh().sum(-1).softmax(-1) @ h,  # v is left out
        lambda ws, uh, v, h: ((ws + uh).tanh() @ v[0]).softmax(-2) @ h,  # columns sum to 1
        lambda ws, uh, v, h: ((ws + uh).tanh() @ v[0]).softmax(-1) @ h / h.size(1),  # the slide's 1/n
    ],
)
def test_additive_mutants_differ(mutant: Callable[..., torch.Tensor]) -> None:
    layer = randomise(AdditiveAttention(DD, DE, A))
    s, h = double_tensor(2, 4, DD), double_tensor(2, 5, DE, seed=1)
    ws, uh = layer.w(s)[:, :, None], layer.u(h)[:, None]
    assert (mutant(ws, uh, layer.v.weight, h) - layer(s, h)[0]).abs().max() > 1e-2


def test_weights_sum_to_one_and_a_closed_row_is_zero() -> None:
    layer = randomise(AdditiveAttention(DD, DE, A))
    s, h = double_tensor(1, 3, DD), double_tensor(1, 5, DE, seed=1)
    mask = torch.ones(3, 5, dtype=torch.bool)
    mask[1] = False
    context, weights = layer(s, h, mask)
    torch.testing.assert_close(weights.sum(-1), torch.tensor([[1.0, 0.0, 1.0]], dtype=torch.float64))
    assert (context[0, 1] == 0).all()
    assert torch.equal(weights, layer.weights(s, h, mask))


def test_a_mask_that_does_not_fit_is_refused() -> None:
    layer = AdditiveAttention(DD, DE, A)
    with pytest.raises(InputError, match=r"mask: got \(5, 3\)"):
        layer(torch.zeros(1, 3, DD), torch.zeros(1, 5, DE), torch.ones(5, 3, dtype=torch.bool))
