"""The formula, torch's kernel and the faster of the two are one function, forward and backward."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ttlib.torch_twins import double_tensor
from ttlib.errors import InputError
from ttlib.nn.attention import attention, attention_weights, check_shapes, fast_attention, fused_attention

Form = Callable[..., torch.Tensor]
FORMS: dict[str, Form] = {
    "explicit": lambda q, k, v, mask=None: attention(q, k, v, mask)[0],
    "fused": fused_attention,
    "fast": fast_attention,
}


def qkv(b: int, h: int, t: int, s: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Queries and keys of width 8, values of width 8: torch's kernel wants them equal on some devices."""
    return tuple(double_tensor(b, h, n, 8, seed=seed + i) for i, n in enumerate((t, s, s)))


def some_mask(b: int, h: int, t: int, s: int, seed: int) -> torch.Tensor:
    """Random, with its first row empty: that query has nothing to attend to."""
    mask = torch.rand(b, h, t, s, generator=torch.Generator().manual_seed(seed)) < 0.5
    mask[0, 0, 0] = False
    return mask


def results(form: Form, inputs: tuple[torch.Tensor, ...], mask: torch.Tensor | None) -> list[torch.Tensor]:
    """Output and gradients."""
    out = form(*inputs, mask)
    weight = torch.linspace(-1, 1, out.numel()).view(out.shape).to(out.dtype)
    return [out, *torch.autograd.grad((out * weight).sum(), inputs)]


@settings(max_examples=20)
@given(
    b=st.integers(1, 3), h=st.integers(1, 4), t=st.integers(1, 6), s=st.integers(1, 6),
    masked=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_attention_equals_torchs_kernel(b: int, h: int, t: int, s: int, masked: bool, seed: int) -> None:
    inputs, mask = qkv(b, h, t, s, seed), some_mask(b, h, t, s, seed) if masked else None
    explicit = results(FORMS["explicit"], inputs, mask)
    for name in ("fused", "fast"):
        torch.testing.assert_close(results(FORMS[name], inputs, mask), explicit, rtol=1e-10, atol=1e-10)


@settings(max_examples=10)
@given(b=st.integers(1, 2), h=st.integers(1, 3), t=st.integers(1, 5), s=st.integers(1, 5), seed=st.integers(0, 99))
def test_attention_equals_the_sum_written_out(b: int, h: int, t: int, s: int, seed: int) -> None:
    q, k, v = (x.detach() for x in qkv(b, h, t, s, seed))
    mask = some_mask(b, h, t, s, seed)
    out, weights = attention(q, k, v, mask)
    for i, j, row in ((i, j, row) for i in range(b) for j in range(h) for row in range(t)):
        e = [math.exp(q[i, j, row] @ k[i, j, c] / math.sqrt(8)) * bool(mask[i, j, row, c]) for c in range(s)]
        expected = torch.tensor([x / (sum(e) or 1) for x in e], dtype=torch.float64)
        torch.testing.assert_close(weights[i, j, row], expected, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(out[i, j, row], expected @ v[i, j], rtol=1e-10, atol=1e-10)


def softmax_of(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return scores.masked_fill(~mask, -math.inf).softmax(-1)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda q, k, v, m: softmax_of(q @ k.mT, m) @ v,  # the scale is dropped
        lambda q, k, v, m: softmax_of(q @ k.mT / 8, m) @ v,  # no root
        lambda q, k, v, m: softmax_of(q @ k.mT / math.sqrt(k.size(-2)), m) @ v,  # the root of the length
        lambda q, k, v, m: (q @ k.mT / math.sqrt(8)).softmax(-1) @ v,  # the mask is dropped
        lambda q, k, v, m: softmax_of(q @ k.mT / math.sqrt(8), ~m | torch.eye(5, dtype=torch.bool)) @ v,  # upside down
        lambda q, k, v, m: ((q @ k.mT / math.sqrt(8)).softmax(-1) * m) @ v,  # masked after the softmax
        lambda q, k, v, m: (q @ k.mT / math.sqrt(8)).masked_fill(~m, 0.0).softmax(-1) @ v,  # zero is not −∞
        lambda q, k, v, m: softmax_of(k @ q.mT / math.sqrt(8), m) @ v,  # keys ask
        lambda q, k, v, m: softmax_of(q @ k.mT / math.sqrt(8), m) @ k,  # keys are mixed
        lambda q, k, v, m: (q @ k.mT / math.sqrt(8)).masked_fill(~m, -math.inf).softmax(-2) @ v,  # columns sum to 1
    ],
)
def test_attention_mutants_differ(mutant: Form) -> None:
    q, k, v = qkv(2, 4, 5, 5)
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    right = softmax_of(q @ k.mT / math.sqrt(8), mask) @ v
    for form in FORMS.values():
        torch.testing.assert_close(form(q, k, v, mask), right, rtol=1e-10, atol=1e-10)
    assert (mutant(q, k, v, mask) - right).abs().max() > 1e-2


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_query_with_nothing_to_attend_to_is_zero(form: str, dtype: torch.dtype) -> None:
    inputs = tuple(x.detach().to(dtype).requires_grad_() for x in qkv(2, 4, 5, 6))
    mask = torch.ones(2, 1, 5, 6, dtype=torch.bool)
    mask[0, 0, 2], mask[1] = False, False
    out, dq, dk, dv = results(FORMS[form], inputs, mask)
    assert out.dtype == dtype
    for x in (out, dq):
        assert (x[0, :, 2] == 0).all()
        assert (x[1] == 0).all()
    assert (out[0, :, [0, 1, 3, 4]] != 0).any()
    assert all(x.isfinite().all() for x in (out, dq, dk, dv))
    assert (dv[0] != 0).any()


@pytest.mark.parametrize("masked", [False, True])
def test_fast_attention_in_bfloat16_is_close(masked: bool) -> None:
    inputs = qkv(2, 4, 5, 6)
    rounded = tuple(x.detach().bfloat16().requires_grad_() for x in inputs)
    mask = some_mask(2, 4, 5, 6, 0) if masked else None
    exact = results(FORMS["explicit"], tuple(x.detach().double().requires_grad_() for x in rounded), mask)
    for a, b in zip(results(fast_attention, rounded, mask), exact, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=0.03, atol=0.03)


def test_by_hand() -> None:
    """Scores 2·ln 3 / √4 = ln 3 and 0: weights 3/4 and 1/4, so the mean of 8 and 0 is 6."""
    q, k = torch.zeros(1, 1, 1, 4), torch.zeros(1, 1, 2, 4)
    q[..., 0], k[0, 0, 0, 0] = 2.0, math.log(3)
    v = torch.tensor([[[[8.0, 4.0], [0.0, -4.0]]]])
    out, weights = attention(q, k, v)
    torch.testing.assert_close(weights, torch.tensor([[[[0.75, 0.25]]]]))
    torch.testing.assert_close(out, torch.tensor([[[[6.0, 2.0]]]]))
    only_last = torch.tensor([False, True])
    assert attention(q, k, v, only_last)[0].flatten().tolist() == [0.0, -4.0]


def test_gradcheck() -> None:
    q, k, v = (double_tensor(1, 2, n, 4, seed=n) for n in (3, 4, 4))
    mask = some_mask(1, 2, 3, 4, 1)
    for form in (FORMS["explicit"], fused_attention):
        assert torch.autograd.gradcheck(lambda *x, form=form: form(*x, mask), (q, k, v))


def test_weights_are_shares() -> None:
    q, k, v = qkv(2, 3, 5, 6)
    mask = some_mask(2, 3, 5, 6, 0)
    weights = attention_weights(q, k, mask)
    assert (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    torch.testing.assert_close(weights.sum(-1), mask.any(-1).double(), rtol=1e-12, atol=1e-12)
    assert torch.equal(attention(q, k, v, mask)[1], weights)


@pytest.mark.parametrize("form", FORMS)
def test_huge_scores_stay_finite(form: str) -> None:
    q, k, v = (1e4 * x.detach().float() for x in qkv(1, 2, 4, 4))
    out = FORMS[form](q, k, v, torch.ones(4, 4, dtype=torch.bool).tril())
    assert out.isfinite().all()
    torch.testing.assert_close(out[:, :, 0], v[:, :, 0])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(), (6,), (5, 1), (4, 1, 6), (2, 1, 1, 6)])
def test_a_mask_broadcasts(form: str, shape: tuple[int, ...]) -> None:
    mask = torch.arange(24)[: math.prod(shape)].view(shape) % 3 > 0
    whole = mask.expand(2, 4, 5, 6)
    inputs = qkv(2, 4, 5, 6)
    torch.testing.assert_close(FORMS[form](*inputs, mask), FORMS[form](*inputs, whole), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("form", FORMS)
def test_a_very_low_score_still_beats_a_masked_one(form: str) -> None:
    q, k = torch.full((1, 1, 1, 4), 1e3), torch.tensor([-1e3, 0.0])[None, None, :, None].expand(1, 1, 2, 4)
    v = torch.tensor([[[[3.0], [5.0]]]])
    assert FORMS[form](q, k, v, torch.tensor([True, False])).item() == 3.0


def test_fast_attention_takes_the_formula_only_for_bfloat16_with_gradients() -> None:
    exact, rounded = qkv(2, 4, 33, 33), tuple(x.detach().bfloat16().requires_grad_() for x in qkv(2, 4, 33, 33))
    still = tuple(x.detach() for x in rounded)
    for inputs, same, other in (
        (exact, fused_attention, FORMS["explicit"]),
        (rounded, FORMS["explicit"], fused_attention),
        (still, fused_attention, FORMS["explicit"]),
    ):
        assert torch.equal(fast_attention(*inputs), same(*inputs))
        assert not torch.equal(fast_attention(*inputs), other(*inputs))  # they round differently


def test_inputs_are_left_alone() -> None:
    inputs, mask = qkv(1, 2, 3, 3), some_mask(1, 2, 3, 3, 0)
    before = [x.clone() for x in (*inputs, mask)]
    for form in FORMS.values():
        form(*inputs, mask)
    assert all(torch.equal(a, b) for a, b in zip((*inputs, mask), before, strict=True))


@pytest.mark.parametrize(
    ("q", "k", "v", "message"),
    [
        ((1, 2, 3, 4), (1, 2, 5, 6), None, r"k: got \(1, 2, 5, 6\), need the queries' last dimension, 4"),
        ((1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 6, 4), r"v: got \(1, 2, 6, 4\), need one value per key, 5 of them"),
    ],
)
def test_misfits_are_refused(q: tuple[int, ...], k: tuple[int, ...], v: tuple[int, ...] | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_shapes(torch.zeros(q), torch.zeros(k), None if v is None else torch.zeros(v))


@pytest.mark.parametrize("form", FORMS)
def test_misfits_are_refused_by_every_form(form: str) -> None:
    q, k, v = qkv(2, 4, 3, 5)
    with pytest.raises(TypeError, match="Type-check error"):  # float, where the annotation says boolean
        FORMS[form](q, k, v, torch.ones(3, 5))
    with pytest.raises(InputError, match=r"mask: got \(5, 3\), need a shape that broadcasts to .* = \(2, 4, 3, 5\)"):
        FORMS[form](q, k, v, torch.ones(5, 3, dtype=torch.bool))
    for wrong in ((q, k[..., :6], v), (q, k, v[:, :, :4]), (q[0], k, v), (q[:, :2], k, v), (q[:1], k, v)):
        with pytest.raises(TypeError, match="Type-check error"):
            FORMS[form](*wrong)
