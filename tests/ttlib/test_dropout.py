"""Dropout: its rate, its scale, its seed, and nothing at all in eval mode."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ttlib.errors import InputError
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn.dropout import Dropout

N = 200_000


def drawn(p: float, x: torch.Tensor, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return Dropout(p)(x)


@pytest.mark.parametrize("p", [0.05, 0.1, 0.3, 0.5, 0.9])
def test_rate_scale_and_expectation(p: float) -> None:
    out = drawn(p, torch.ones(N, dtype=torch.float64))
    five_sigma = 5 * math.sqrt(p * (1 - p) / N)
    assert (out == 0).double().mean().item() == pytest.approx(p, abs=five_sigma)
    assert out.mean().item() == pytest.approx(1, abs=five_sigma / (1 - p))
    kept = out[out != 0]
    assert kept.min() == kept.max()
    assert kept[0].item() == pytest.approx(1 / (1 - p), rel=2e-4)  # p is exact to 1/65,536


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8])
def test_neighbours_are_independent(lag: int) -> None:
    """Four numbers come out of one random number: none may tell of another."""
    kept = (drawn(0.3, torch.ones(N)) != 0).double() - 0.7
    correlation = (kept[lag:] * kept[:-lag]).mean() / 0.21
    assert abs(correlation.item()) < 5 / math.sqrt(N)


def test_each_of_the_four_has_the_same_rate() -> None:
    dropped = (drawn(0.3, torch.ones(N)) == 0).view(-1, 4).double().mean(0)
    assert dropped.tolist() == pytest.approx([0.3] * 4, abs=5 * math.sqrt(0.21 / (N / 4)))


def test_a_seed_gives_the_same_mask_again() -> None:
    x = torch.randn(50, 33)
    assert torch.equal(drawn(0.3, x, seed=4), drawn(0.3, x, seed=4))
    assert not torch.equal(drawn(0.3, x, seed=4), drawn(0.3, x, seed=5))
    layer = Dropout(0.3)
    assert not torch.equal(layer(x), layer(x))


@settings(max_examples=15)
@given(
    shape=st.lists(st.integers(0, 7), min_size=0, max_size=4),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
)
def test_any_shape_and_dtype(shape: list[int], dtype: torch.dtype) -> None:
    x = torch.ones(shape, dtype=dtype)
    out = drawn(0.5, x)
    assert (out.shape, out.dtype) == (x.shape, dtype)
    assert set(out.flatten().tolist()) <= {0.0, 2.0}
    assert torch.equal(x, torch.ones(shape, dtype=dtype))


@pytest.mark.parametrize("p", [0.0, 0.4, 0.99])
def test_eval_changes_nothing(p: float) -> None:
    layer, x = Dropout(p).eval(), torch.randn(5, 6)
    assert torch.equal(layer(x), x)
    assert (layer.train()(x) != x).any() == (p > 0)


def test_p_just_below_one_is_not_rounded_to_one() -> None:
    out = drawn(0.999999, torch.ones(N))
    assert out.isfinite().all()
    assert (out == 0).double().mean() > 0.999


def test_the_gradient_has_the_same_mask() -> None:
    x = torch.randn(40, 5, dtype=torch.float64, requires_grad=True)
    out = Dropout(0.3)(x)
    grad = torch.autograd.grad(out.sum(), x)[0]
    torch.testing.assert_close(grad * x, out, rtol=1e-12, atol=1e-12)
    assert 0 < (grad == 0).sum() < 200


@pytest.mark.parametrize("p", [1.0, 1.5, -0.1, math.nan])
def test_p_is_a_probability_below_one(p: float) -> None:
    with pytest.raises(InputError, match=rf"p: got {p}, need a probability below 1"):
        Dropout(p)


def test_a_model_drops_after_the_embeddings_and_in_every_residual() -> None:
    """Vaswani et al. 2017, §5.4: each of them once per call."""
    config = Seq2SeqConfig(
        src_vocab_size=9, tgt_vocab_size=9, d_model=32, n_heads=4, d_ff=48, n_encoder_layers=2,
        n_decoder_layers=3, dropout=0.25,
    )  # fmt: skip
    model, called = Seq2Seq(config), []
    for name, layer in model.named_modules():
        if isinstance(layer, Dropout):
            assert layer.p == 0.25
            layer.register_forward_hook(lambda *_, name=name: called.append(name))
    model(torch.full((1, 3), 4), torch.full((1, 3), 4))
    wanted = ["encoder.dropout", "decoder.dropout"]
    wanted += [f"encoder.blocks.{i}.residual_{j}.dropout" for i in range(2) for j in (1, 2)]
    wanted += [f"decoder.blocks.{i}.residual_{j}.dropout" for i in range(3) for j in (1, 2, 3)]
    assert sorted(called) == sorted(wanted)
