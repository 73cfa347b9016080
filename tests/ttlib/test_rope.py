"""Rotary positions are a multiplication by a complex number; scores depend on distances; Llama's layout is the same."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from tests.ttlib.torch_twins import double_tensor, randomise
from ttlib.errors import InputError
from ttlib.nn import masks
from ttlib.nn.cache import GrowingCache
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.positions import AttentionPositions
from ttlib.nn.rope import (
    RotaryPositions,
    halves_to_pairs,
    pairs_to_halves,
    rope_angles,
    rotate_halves,
    rotate_pairs,
)

LAYOUTS = pytest.mark.parametrize("rotate", [rotate_pairs, rotate_halves])


def complex_rotation(x: torch.Tensor, start: int = 0, base: float = 10000.0) -> torch.Tensor:
    """Su et al. 2021, eq. 12: each pair is a complex number, times e^(i t θ)."""
    z = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())  # (B, H, T, K/2)
    out = z.clone()
    for t in range(x.size(-2)):
        for i in range(x.size(-1) // 2):
            angle = (start + t) * base ** (-2 * i / x.size(-1))
            out[..., t, i] = z[..., t, i] * complex(math.cos(angle), math.sin(angle))
    return torch.view_as_real(out).flatten(-2)


@settings(max_examples=20)
@given(length=st.integers(1, 9), half=st.integers(1, 8), start=st.integers(0, 5000), seed=st.integers(0, 9))
def test_rope_equals_complex_multiplication(length: int, half: int, start: int, seed: int) -> None:
    x = double_tensor(2, 3, length, 2 * half, seed=seed).detach()
    ours = RotaryPositions(2 * half).turn(x, start)
    torch.testing.assert_close(ours, complex_rotation(x, start), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda x: x,  # not turned at all
        lambda x: complex_rotation(x, 1),  # begins at 1
        lambda x: complex_rotation(x, 0, 1000.0),  # another base
        lambda x: complex_rotation(x.flip(-2)).flip(-2),  # counted from the end
        lambda x: rotate_halves(x, rope_angles(6, 32)),  # the other layout
        lambda x: rotate_pairs(x, -rope_angles(6, 32)),  # the other way round
        lambda x: rotate_pairs(x, rope_angles(6, 32).flip(-1)),  # frequencies in the other order
        lambda x: rotate_pairs(x, rope_angles(6, 64)[:, :16]),  # the frequencies of another width
    ],
)
def test_rope_mutants_differ(mutant: Callable[[torch.Tensor], torch.Tensor]) -> None:
    x = double_tensor(2, 4, 6, 32).detach()
    assert (RotaryPositions(32).turn(x) - mutant(x)).abs().max() > 1e-2


@LAYOUTS
def test_scores_depend_on_the_distance_alone(rotate: Callable[..., torch.Tensor]) -> None:
    q, k = (double_tensor(1, 1, 1, 32, seed=seed).detach().expand(1, 1, 40, 32) for seed in (0, 1))
    rope = RotaryPositions(32, rotate=rotate)
    scores = (rope.turn(q) @ rope.turn(k).mT)[0, 0]  # the same query and the same key at 40 places
    for distance in range(-39, 40):
        diagonal = scores.diagonal(distance)
        assert (diagonal - diagonal[0]).abs().max() < 1e-10
    assert scores[0].std() > 0.1  # and it does depend on the distance
    far = (rope.turn(q, 5000) @ rope.turn(k, 5000).mT)[0, 0]
    torch.testing.assert_close(far, scores, rtol=1e-9, atol=1e-9)


@LAYOUTS
def test_a_turn_keeps_lengths(rotate: Callable[..., torch.Tensor]) -> None:
    x = double_tensor(2, 3, 7, 16).detach()
    turned = RotaryPositions(16, rotate=rotate).turn(x, 11)
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1), rtol=1e-12, atol=1e-12)


def llama(x: torch.Tensor, start: int, base: float) -> torch.Tensor:
    """What transformers' Llama makes of queries."""
    config = LlamaConfig(
        hidden_size=x.size(-1), num_attention_heads=1, rope_parameters={"rope_type": "default", "rope_theta": base}
    )
    places = torch.arange(start, start + x.size(-2))[None]
    cos, sin = LlamaRotaryEmbedding(config)(x, places)
    return apply_rotary_pos_emb(x, x, cos, sin)[0]


@pytest.mark.parametrize(("base", "start"), [(10000.0, 0), (10000.0, 50), (500000.0, 7)])
def test_llama_layout_equals_transformers(base: float, start: int) -> None:
    x = double_tensor(2, 4, 9, 32).detach()
    ours = RotaryPositions(32, base, rotate_halves).turn(x, start)
    # Its angles are in single precision whatever the input is.
    torch.testing.assert_close(ours, llama(x, start, base), rtol=0, atol=2e-5)


@pytest.mark.parametrize("mutant", [RotaryPositions(32), RotaryPositions(32, 9000.0, rotate_halves)])
def test_llama_layout_mutants_differ(mutant: RotaryPositions) -> None:
    x = double_tensor(2, 4, 9, 32).detach()
    assert (mutant.turn(x, 3) - llama(x, 3, 10000.0)).abs().max() > 1e-2


def test_the_two_layouts_are_one_function() -> None:
    x, angles = double_tensor(2, 4, 9, 32).detach(), rope_angles(9, 32, 3)
    assert torch.equal(halves_to_pairs(pairs_to_halves(x)), x)
    assert torch.equal(pairs_to_halves(halves_to_pairs(x)), x)
    ours = rotate_halves(pairs_to_halves(x), angles)
    torch.testing.assert_close(ours, pairs_to_halves(rotate_pairs(x, angles)), rtol=0, atol=0)
    assert not torch.equal(rotate_halves(x, angles), pairs_to_halves(rotate_pairs(x, angles)))
    assert pairs_to_halves(torch.arange(6.0)).tolist() == [0, 2, 4, 1, 3, 5]


def test_trained_weights_can_be_converted() -> None:
    """The K output rows of each head in W_Q and W_K are put in the other order; nothing else changes."""
    ours = randomise(MultiHeadAttention(32, 4, RotaryPositions(8)))
    other = MultiHeadAttention(32, 4, RotaryPositions(8, rotate=rotate_halves)).double()
    state = ours.state_dict()
    for name in ("w_q", "w_k"):
        for kind in ("weight", "bias"):
            rows = state[f"{name}.{kind}"].unflatten(0, (4, 8))  # (H, K, …)
            moved = pairs_to_halves(rows.movedim(1, -1)).movedim(-1, 1)
            state[f"{name}.{kind}"] = moved.flatten(0, 1)
    x = double_tensor(2, 6, 32).detach()
    other.load_state_dict(ours.state_dict())
    assert (other(x, x) - ours(x, x)).abs().max() > 1e-2  # without the conversion
    other.load_state_dict(state)
    torch.testing.assert_close(other(x, x), ours(x, x), rtol=1e-10, atol=1e-10)


def test_angles_by_hand() -> None:
    assert rope_angles(3, 4)[2].tolist() == pytest.approx([2.0, 0.02])
    assert rope_angles(1, 2, 7, base=5.0).tolist() == [[7.0]]
    assert rope_angles(2, 4).dtype == torch.float64


def test_far_positions_are_exact_in_single_precision() -> None:
    x = torch.tensor([1.0, 0.0]).expand(1, 1, 1, 2)
    turned = RotaryPositions(2).turn(x, 1_000_003)[0, 0, 0]
    assert turned.tolist() == pytest.approx([math.cos(1_000_003), math.sin(1_000_003)], abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_dtype_stays(dtype: torch.dtype) -> None:
    assert RotaryPositions(8).turn(torch.randn(1, 2, 3, 8, dtype=dtype), 2).dtype == dtype


def test_a_turn_has_a_gradient() -> None:
    x = double_tensor(1, 2, 3, 4)
    for rotate in (rotate_pairs, rotate_halves):
        rope = RotaryPositions(4, rotate=rotate)
        assert torch.autograd.gradcheck(lambda x, rope=rope: rope.turn(x, 2), (x,))


@LAYOUTS
@pytest.mark.parametrize("first", [1, 3, 6])
def test_a_cache_changes_nothing_with_rope(first: int, rotate: Callable[..., torch.Tensor]) -> None:
    layer, x = randomise(MultiHeadAttention(32, 4, RotaryPositions(8, rotate=rotate))), double_tensor(2, 6, 32).detach()
    cache = GrowingCache()
    parts = [layer(x[:, :first], x[:, :first], masks.causal(first), cache)]
    parts += [layer(x[:, t : t + 1], x[:, t : t + 1], None, cache) for t in range(first, 6)]
    whole = layer(x, x, masks.causal(6))
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-10, atol=1e-10)
    layer.positions = AttentionPositions()
    assert (layer(x, x, masks.causal(6)) - whole).abs().max() > 1e-2  # it was not indifferent to positions


def test_nothing_is_trained_or_stored() -> None:
    plain, turned = MultiHeadAttention(32, 4), MultiHeadAttention(32, 4, RotaryPositions(8))
    assert list(turned.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RotaryPositions(7), "d_head: got 7, need an even number"),
        (lambda: RotaryPositions(0), "d_head: got 0, need an even number"),
        (lambda: RotaryPositions(8, 1.0), "base: got 1.0, need a number above 1"),
        (lambda: rope_angles(3, 5), "d_head: got 5, need an even number"),
        (lambda: rope_angles(3, 4, -1), "start: got -1, need a position, 0 or more"),
        (lambda: RotaryPositions(8).turn(torch.zeros(1, 1, 2, 6)), r"x: got \(1, 1, 2, 6\), need vectors of d_head=8"),
        (lambda: pairs_to_halves(torch.zeros(2, 3)), r"x: got \(2, 3\), need an even last axis"),
        (lambda: halves_to_pairs(torch.zeros(2, 3)), r"x: got \(2, 3\), need an even last axis"),
    ],
)
def test_bad_input(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
