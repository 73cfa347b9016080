"""Multi-head attention equals torch's: outputs, weights, and the gradients of inputs and of every parameter."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import assert_same_function, copy_weights, double_tensor, hide, open_mask, randomise
from ttlib.errors import InputError
from ttlib.nn import masks
from ttlib.nn.cache import FixedCache, GrowingCache
from ttlib.nn.multihead import MultiHeadAttention

D = 32
Layer = MultiHeadAttention


def twins(heads: int = 4, seed: int = 0) -> tuple[Layer, nn.MultiheadAttention]:
    ours = randomise(Layer(D, heads), seed)
    theirs = nn.MultiheadAttention(D, heads, batch_first=True, dtype=torch.float64)
    copy_weights(ours, theirs)
    return ours, theirs


@settings(max_examples=20)
@given(
    batch=st.integers(1, 3), t=st.integers(1, 6), s=st.integers(1, 6), heads=st.sampled_from([1, 2, 4, 8]),
    kind=st.sampled_from(["none", "causal", "random"]), seed=st.integers(0, 99),
)  # fmt: skip
def test_multihead_cross_attention_equals_torch(batch: int, t: int, s: int, heads: int, kind: str, seed: int) -> None:
    ours, theirs = twins(heads, seed)
    x, memory, mask = (
        double_tensor(batch, t, D, seed=seed),
        double_tensor(batch, s, D, seed=seed + 1),
        open_mask(t, s, kind),
    )
    b, weights = theirs(x, memory, memory, attn_mask=hide(mask), average_attn_weights=False)
    assert_same_function(ours, theirs, (ours(x, memory, mask), b), [x, memory])
    torch.testing.assert_close(ours.weights(x, memory, mask), weights, rtol=1e-10, atol=1e-10)


@settings(max_examples=20)
@given(batch=st.integers(1, 3), t=st.integers(1, 6), heads=st.sampled_from([1, 2, 4, 8]), padded=st.booleans())
def test_multihead_self_attention_with_padding_equals_torch(batch: int, t: int, heads: int, padded: bool) -> None:
    ours, theirs = twins(heads)
    x, ids = double_tensor(batch, t, D), torch.full((batch, t), 7)
    if padded:
        ids[-1, 1:] = 0
    mask = masks.causal(t) & masks.padding(ids, 0)
    b = theirs(x, x, x, attn_mask=~masks.causal(t), key_padding_mask=ids == 0)[0]
    assert_same_function(ours, theirs, (ours(x, x, mask), b), [x])


def no_scale(layer: Layer) -> None:
    for p in layer.w_q.parameters():
        p.data *= layer.w_q.out_features**0.5 / layer.n_heads**0.5


def scale_of_the_whole_width(layer: Layer) -> None:
    for p in layer.w_q.parameters():
        p.data /= layer.n_heads**0.5


def keys_for_values(layer: Layer) -> None:
    layer.w_k, layer.w_v = layer.w_v, layer.w_k


def other_heads(layer: Layer) -> None:
    layer.n_heads = 8


def heads_interleaved(layer: Layer) -> None:
    layer.split_heads = lambda x: x.unflatten(-1, (-1, layer.n_heads)).permute(0, 3, 1, 2)  # type: ignore[method-assign]


def no_output_layer(layer: Layer) -> None:
    layer.w_o = nn.Identity()


def no_bias(layer: Layer) -> None:
    layer.w_v.bias.data.zero_()


@pytest.mark.parametrize(
    "break_it",
    [no_scale, scale_of_the_whole_width, keys_for_values, other_heads, heads_interleaved, no_output_layer, no_bias],
)
def test_multihead_mutants_differ(break_it: Callable[[Layer], None]) -> None:
    ours, theirs = twins()
    x, memory = double_tensor(2, 5, D), double_tensor(2, 6, D, seed=1)
    b = theirs(x, memory, memory)[0]
    torch.testing.assert_close(ours(x, memory), b, rtol=1e-10, atol=1e-10)
    break_it(ours)
    assert (ours(x, memory) - b).abs().max() > 1e-2


def test_multihead_mutants_in_the_call_differ() -> None:
    ours, theirs = twins()
    x, memory, mask = double_tensor(2, 5, D), double_tensor(2, 5, D, seed=1), masks.causal(5)
    b = theirs(x, memory, memory, attn_mask=~mask)[0]
    torch.testing.assert_close(ours(x, memory, mask), b, rtol=1e-10, atol=1e-10)
    for wrong in (ours(x, memory), ours(x, memory, ~mask), ours(x, memory, mask.T), ours(x, x, mask)):
        assert (wrong - b).abs().max() > 1e-2


@pytest.mark.parametrize("first", [1, 3, 6])
def test_a_growing_cache_changes_nothing(first: int) -> None:
    layer, x, cache = randomise(Layer(D, 4)), double_tensor(2, 6, D), GrowingCache()
    parts = [layer(x[:, :first], x[:, :first], masks.causal(first), cache)]
    parts += [layer(x[:, t : t + 1], x[:, t : t + 1], None, cache) for t in range(first, 6)]
    torch.testing.assert_close(torch.cat(parts, 1), layer(x, x, masks.causal(6)), rtol=1e-10, atol=1e-10)
    assert len(cache) == 6


def test_a_growing_cache_seldom_copies_the_past() -> None:
    cache, places = GrowingCache(), []
    for t in range(1, 101):
        new = torch.full((2, 1, 1, 4), float(t)), torch.full((2, 1, 1, 4), -float(t))
        k, v = cache.update(lambda new=new: new)
        assert torch.equal(k[0, 0, :, 0], torch.arange(1.0, t + 1))
        assert torch.equal(v, -k)
        places.append(k.data_ptr())
    moves = sum(a != b for a, b in pairwise(places))
    assert 0 < moves < 8  # doubling: about log2(100)


def test_a_fixed_cache_keeps_its_first_memory() -> None:
    layer, x, cache = randomise(Layer(D, 4)), double_tensor(2, 3, D), FixedCache()
    memory, other = double_tensor(2, 5, D, seed=1), double_tensor(2, 5, D, seed=2)
    first = layer(x, memory, None, cache)
    assert torch.equal(layer(x, other, None, cache), first)
    assert torch.equal(layer(x, memory), first)
    assert (layer(x, other) - first).abs().max() > 1e-2
    assert len(cache) == 5


@pytest.mark.parametrize("kind", [GrowingCache, FixedCache])
def test_a_cache_keeps_the_chosen_rows(kind: type[GrowingCache]) -> None:
    layer, x, cache = randomise(Layer(D, 4)), double_tensor(3, 4, D), kind()
    cache.select(torch.tensor([0]))  # nothing there yet
    layer(x, x, None, cache)
    cache.select(torch.tensor([2, 0, 2]))
    k, v = layer.keys_values(x[[2, 0, 2]])
    torch.testing.assert_close((cache.k, cache.v), (k, v), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("heads", [3, 0, -4])
def test_d_model_is_divisible_by_the_heads(heads: int) -> None:
    with pytest.raises(InputError, match=rf"n_heads: got {heads}, need a divisor of d_model=32"):
        Layer(D, heads)


@pytest.mark.parametrize("shapes", [((5, D), (2, 5, D)), ((2, 5, D), (3, 5, D)), ((2, 5, D), (2, 5, D + 1))])
def test_shapes_are_checked(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    x, memory = (torch.zeros(shape) for shape in shapes)
    with pytest.raises(TypeError, match="Type-check error"):
        Layer(D, 4)(x, memory)
