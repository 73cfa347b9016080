"""Grouped-query attention: multi-head attention whose keys and values are repeated, and transformers' Llama's."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaAttention

from tests.ttlib.torch_twins import double_tensor, grads, open_mask, randomise
from ttlib.errors import InputError
from ttlib.models.maps import attention_maps
from ttlib.nn import masks
from ttlib.nn.cache import GrowingCache
from ttlib.nn.grouped import GroupedAttention
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.relative import Alibi
from ttlib.nn.rope import RotaryPositions, rope_angles, rotate_halves

D = 32
GROUPS = st.sampled_from([(4, 1), (4, 2), (4, 4), (8, 2), (2, 1), (1, 1)])


def repeated(layer: GroupedAttention) -> MultiHeadAttention:
    """Multi-head attention with the same function: each key and value row once for every head of the group."""
    full = MultiHeadAttention(D, layer.n_heads, layer.positions).double()
    n_repeats = layer.n_heads // layer.n_kv_heads
    with torch.no_grad():
        for name in ("w_q", "w_k", "w_v", "w_o"):
            getattr(full, name).bias.zero_()
            weight = getattr(layer, name).weight
            if name in ("w_k", "w_v"):
                weight = weight.unflatten(0, (layer.n_kv_heads, -1)).repeat_interleave(n_repeats, 0).flatten(0, 1)
            getattr(full, name).weight.copy_(weight)
    return full


@settings(max_examples=20)
@given(
    batch=st.integers(1, 3), t=st.integers(1, 5), s=st.integers(1, 5), heads=GROUPS,
    kind=st.sampled_from(["none", "causal", "random"]), seed=st.integers(0, 99),
)  # fmt: skip
def test_grouped_equals_multihead_with_repeated_keys_and_values(
    batch: int, t: int, s: int, heads: tuple[int, int], kind: str, seed: int
) -> None:
    ours = randomise(GroupedAttention(D, *heads), seed)
    full = repeated(ours)
    x, memory = double_tensor(batch, t, D, seed=seed), double_tensor(batch, s, D, seed=seed + 1)
    mask = open_mask(t, s, kind)
    a, b = ours(x, memory, mask), full(x, memory, mask)
    mine, other = grads(a, [x, memory, ours.w_q.weight]), grads(b, [x, memory, full.w_q.weight])
    torch.testing.assert_close([a, *mine], [b, *other], rtol=1e-10, atol=1e-10)
    weights = ours.weights(x, memory, mask)
    assert weights.shape == (batch, heads[0], t, s)
    torch.testing.assert_close(weights, full.weights(x, memory, mask), rtol=1e-10, atol=1e-10)
    if heads[0] == heads[1]:  # then nothing had to be repeated
        assert torch.equal(full.w_k.weight, ours.w_k.weight)


def llama(layer: GroupedAttention, x: torch.Tensor) -> torch.Tensor:
    """Transformers' attention on the same weights, with angles in float64."""
    config = LlamaConfig(
        hidden_size=D, num_attention_heads=layer.n_heads, num_key_value_heads=layer.n_kv_heads, attention_bias=False
    )
    config._attn_implementation = "sdpa"
    theirs = LlamaAttention(config, 0).double()
    names = {"q_proj": "w_q", "k_proj": "w_k", "v_proj": "w_v", "o_proj": "w_o"}
    theirs.load_state_dict({f"{name}.weight": layer.state_dict()[f"{ours}.weight"] for name, ours in names.items()})
    angles = rope_angles(x.size(1), D // layer.n_heads).repeat(1, 2)[None]
    places = (angles.cos(), angles.sin())
    return theirs(x, places, masks.causal(x.size(1)).expand(x.size(0), 1, -1, -1))[0]


def turned(n_heads: int = 4, n_kv_heads: int = 2, seed: int = 0) -> GroupedAttention:
    rope = RotaryPositions(D // n_heads, rotate=rotate_halves)
    return randomise(GroupedAttention(D, n_heads, n_kv_heads, rope), seed)


@pytest.mark.parametrize(("n_heads", "n_kv_heads"), [(4, 1), (4, 2), (4, 4), (8, 2)])
def test_grouped_with_rope_equals_transformers(n_heads: int, n_kv_heads: int) -> None:
    ours, x = turned(n_heads, n_kv_heads), double_tensor(2, 6, D)
    a, b = ours(x, x, masks.causal(6)), llama(ours, x)
    torch.testing.assert_close([a, *grads(a, [x])], [b, *grads(b, [x])], rtol=1e-10, atol=1e-10)


def other_order(layer: GroupedAttention) -> None:
    """The groups one after the other, again and again: heads 0, 2 share instead of 0, 1."""
    rows = layer.w_q.weight.data.unflatten(0, (2, 2, -1))
    layer.w_q.weight.data = rows.transpose(0, 1).flatten(0, 2).contiguous()
    columns = layer.w_o.weight.data.unflatten(1, (2, 2, -1))
    layer.w_o.weight.data = columns.transpose(1, 2).flatten(1, 3).contiguous()


def keys_for_values(layer: GroupedAttention) -> None:
    layer.w_k, layer.w_v = layer.w_v, layer.w_k


def no_positions(layer: GroupedAttention) -> None:
    layer.positions = None


def other_layout(layer: GroupedAttention) -> None:
    layer.positions = RotaryPositions(D // layer.n_heads)


def one_group(layer: GroupedAttention) -> None:
    for w in (layer.w_k, layer.w_v):
        w.weight.data[8:] = w.weight.data[:8]


def no_output_layer(layer: GroupedAttention) -> None:
    layer.w_o = nn.Identity()


@pytest.mark.parametrize(
    "mutate", [other_order, keys_for_values, no_positions, other_layout, one_group, no_output_layer]
)
def test_grouped_mutants_differ(mutate: Callable[[GroupedAttention], None]) -> None:
    ours, x = turned(), double_tensor(2, 6, D)
    b = llama(ours, x)
    torch.testing.assert_close(ours(x, x, masks.causal(6)), b, rtol=1e-10, atol=1e-10)
    mutate(ours)
    assert (ours(x, x, masks.causal(6)) - b).abs().max() > 1e-2


@pytest.mark.parametrize("first", [1, 3, 6])
@pytest.mark.parametrize("bias", [False, True])
def test_a_cache_changes_nothing(first: int, bias: bool) -> None:
    layer, x = turned(), double_tensor(2, 6, D).detach()
    if bias:
        layer.positions = Alibi(4)
    cache = GrowingCache()
    parts = [layer(x[:, :first], x[:, :first], masks.causal(first), cache)]
    parts += [layer(x[:, t : t + 1], x[:, t : t + 1], None, cache) for t in range(first, 6)]
    whole = layer(x, x, masks.causal(6))
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-10, atol=1e-10)


def test_the_cache_holds_only_the_groups() -> None:
    layer, x, cache = turned(8, 2), double_tensor(3, 5, D), GrowingCache()
    layer(x, x, masks.causal(5), cache)
    assert cache.k is not None
    assert cache.v is not None
    assert cache.k.shape == cache.v.shape == (3, 2, 5, 4)


@pytest.mark.parametrize("shape", [(1, 1, 1, 5), (3, 1, 1, 5), (3, 4, 1, 5), (1, 5), (5,)])
def test_one_query_obeys_any_mask(shape: tuple[int, ...]) -> None:
    """One query takes a shorter way; the mask must mean the same there."""
    layer = randomise(GroupedAttention(D, 4, 2))
    x, memory = double_tensor(3, 1, D), double_tensor(3, 5, D, seed=1)
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.5
    mask[..., 0] = True
    expected = repeated(layer)(x, memory, mask)
    torch.testing.assert_close(layer(x, memory, mask), expected, rtol=1e-10, atol=1e-10)
    assert (layer(x, memory) - expected).abs().max() > 1e-2


def test_its_weights_can_be_looked_at() -> None:
    layer, x = turned(), double_tensor(2, 6, D).detach()
    (weights,) = attention_maps(layer, x, x, masks.causal(6)).values()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 6, dtype=torch.float64))


@pytest.mark.parametrize("groups", [0, 3, -1])
def test_bad_groups(groups: int) -> None:
    with pytest.raises(InputError, match=f"n_kv_heads: got {groups}, need a divisor of n_heads=4"):
        GroupedAttention(D, 4, groups)
