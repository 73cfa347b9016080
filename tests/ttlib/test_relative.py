"""T5's buckets and biases and ALiBi's slopes are those of transformers; attention takes them, with caches too."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import T5Config
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.t5.modeling_t5 import T5Attention

from tests.ttlib.torch_twins import double_tensor, open_mask, randomise
from ttlib.errors import InputError
from ttlib.nn import masks
from ttlib.nn.attention import attention, attention_weights, fast_attention, fused_attention
from ttlib.nn.cache import GrowingCache
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.positions import AttentionPositions
from ttlib.nn.relative import Alibi, OneSidedAlibi, T5Bias, alibi_slopes, distances, t5_buckets

FAR = torch.arange(-1100, 1101)


@pytest.mark.parametrize("both_sides", [True, False])
@pytest.mark.parametrize(("n_buckets", "max_distance"), [(32, 128), (16, 20), (64, 1000), (8, 33)])
def test_buckets_equals_transformers(both_sides: bool, n_buckets: int, max_distance: int) -> None:
    theirs = T5Attention._relative_position_bucket(FAR, both_sides, n_buckets, max_distance)
    assert torch.equal(t5_buckets(FAR, n_buckets, max_distance, both_sides=both_sides), theirs)


@pytest.mark.parametrize(
    "mutant",
    [
        t5_buckets(FAR, 16),
        t5_buckets(FAR, 32, 64),
        t5_buckets(FAR, 32, both_sides=False),
        t5_buckets(-FAR),  # query − key
        FAR.clamp(-16, 15) + 16,  # no logarithm
    ],
)
def test_buckets_mutants_differ(mutant: torch.Tensor) -> None:
    assert (mutant != T5Attention._relative_position_bucket(FAR)).float().mean() > 0.05


def test_buckets_by_hand() -> None:
    """8 of 16 on each side are exact; 8 · 16^(j/8) begins the others: 8, 11.3, 16, 22.6, 32, 45.3, 64, 90.5."""
    left = t5_buckets(-torch.arange(200)).tolist()
    assert left[:8] == list(range(8))
    first = [left.index(bucket) for bucket in range(16)]
    assert first == [*range(8), 8, 12, 16, 23, 32, 46, 64, 91]
    assert set(left[91:]) == {15}
    assert t5_buckets(torch.arange(1, 200)).tolist() == [bucket + 16 for bucket in left[1:]]


def t5_layer(bias: T5Bias) -> T5Attention:
    buckets, heads = bias.table.shape
    config = T5Config(
        d_model=32, d_kv=8, num_heads=heads, relative_attention_num_buckets=buckets,
        relative_attention_max_distance=bias.max_distance, is_decoder=not bias.both_sides,
    )  # fmt: skip
    config._attn_implementation = "eager"
    layer = T5Attention(config, has_relative_attention_bias=True, layer_idx=0).double().eval()
    layer.relative_attention_bias.weight.data = bias.table.data.clone()
    return layer


@settings(max_examples=10)
@given(
    t=st.integers(1, 5), seen=st.integers(0, 150), heads=st.integers(1, 5), both=st.booleans(), seed=st.integers(0, 9)
)
def test_t5_bias_equals_transformers(t: int, seen: int, heads: int, both: bool, seed: int) -> None:
    ours = randomise(T5Bias(heads, 16, 100, both_sides=both), seed)
    theirs = t5_layer(ours).compute_bias(t, seen + t, past_seen_tokens=seen)
    torch.testing.assert_close(ours.bias(t, seen + t), theirs[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda ours: ours.bias(6, 6).mT,  # left and right exchanged
        lambda ours: ours.bias(6, 6).flip(0),  # heads exchanged
        lambda ours: ours.bias(6, 7)[..., :-1],  # the query stands one further
        lambda ours: ours.bias(6, 6) * 0,
    ],
)
def test_t5_bias_mutants_differ(mutant: Callable[[T5Bias], torch.Tensor]) -> None:
    ours = randomise(T5Bias(4))
    assert (mutant(ours) - t5_layer(ours).compute_bias(6, 6)[0]).abs().max() > 1e-2


def test_t5_self_attention_equals_transformers() -> None:
    """Scores and bias together. T5 does not divide by √d_k, so its queries are made √d_k times smaller."""
    ours = randomise(T5Bias(4))
    theirs = t5_layer(ours)
    randomise(theirs, 1)
    theirs.relative_attention_bias.weight.data = ours.table.data.clone()
    layer = MultiHeadAttention(32, 4, ours).double()
    for mine, other in ((layer.w_q, theirs.q), (layer.w_k, theirs.k), (layer.w_v, theirs.v), (layer.w_o, theirs.o)):
        mine.weight.data, mine.bias.data = other.weight.data.clone(), torch.zeros(32).double()
    layer.w_q.weight.data *= math.sqrt(8)
    x = double_tensor(2, 7, 32).detach()
    torch.testing.assert_close(layer(x, x), theirs(x)[0], rtol=1e-10, atol=1e-10)


def test_t5_self_attention_mutants_differ() -> None:
    layer, x = randomise(MultiHeadAttention(32, 4, T5Bias(4))), double_tensor(2, 7, 32).detach()
    right = layer(x, x)
    layer.positions = None
    assert (layer(x, x) - right).abs().max() > 1e-2


@pytest.mark.parametrize("heads", [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 20, 71, 112])
def test_alibi_equals_transformers(heads: int) -> None:
    """Bloom's tensor is slope · position of the key: the same as −slope · distance up to a constant in each row."""
    theirs = build_alibi_tensor(torch.ones(1, 9), heads, torch.float32)  # (H, 1, S)
    ours = Alibi(heads).bias(9, 9)
    torch.testing.assert_close(alibi_slopes(heads), theirs[:, 0, 1], rtol=1e-6, atol=0)
    for t in range(9):
        by_distance = theirs[:, 0, : t + 1] - theirs[:, 0, t : t + 1]  # the keys up to the query
        torch.testing.assert_close(ours[:, t, : t + 1], by_distance, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "slopes",
    [
        lambda h: torch.tensor([2.0 ** (-8 * i / h) for i in range(h)]),  # begins at 1
        lambda h: torch.tensor([2.0 ** (-8 * (i + 1) / h) for i in range(h)]),  # no care for other counts
        lambda h: alibi_slopes(h).flip(0),
    ],
)
def test_alibi_mutants_differ(slopes: Callable[[int], torch.Tensor]) -> None:
    theirs = build_alibi_tensor(torch.ones(1, 2), 12, torch.float32)[:, 0, 1]
    assert (slopes(12) - theirs).abs().max() > 1e-2


def test_alibi_by_hand() -> None:
    assert alibi_slopes(8).tolist() == [1 / 2**i for i in range(1, 9)]
    assert alibi_slopes(3).tolist() == [1 / 16, 1 / 256, 1 / 4]  # those of 2, then the first of 4
    assert Alibi(1).bias(2, 3)[0].tolist() == [[-1 / 256, 0, -1 / 256], [-2 / 256, -1 / 256, 0]]
    left, right = OneSidedAlibi(2).bias(2, 2).tolist()
    assert left == [[0, -math.inf], [-1 / 16, 0]]
    assert right == [[0, -1 / 256], [-math.inf, 0]]


@pytest.mark.parametrize("kind", [Alibi, OneSidedAlibi])
def test_only_the_symmetric_form_is_blind_to_reading_direction(kind: type[Alibi]) -> None:
    layer, x = randomise(MultiHeadAttention(32, 4, kind(4))), double_tensor(2, 7, 32).detach()
    difference = (layer(x.flip(1), x.flip(1)).flip(1) - layer(x, x)).abs().max()
    assert (difference < 1e-10) == (kind is Alibi)


def test_distances() -> None:
    assert distances(3, 3).tolist() == [[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]
    assert distances(2, 4).tolist() == [[-2, -1, 0, 1], [-3, -2, -1, 0]]


# How attention takes a bias


def forms(*inputs: torch.Tensor | None) -> list[torch.Tensor]:
    return [attention(*inputs)[0], fused_attention(*inputs), fast_attention(*inputs)]


@settings(max_examples=20)
@given(
    t=st.integers(1, 5), s=st.integers(1, 6), axes=st.integers(1, 4), masked=st.booleans(), seed=st.integers(0, 99)
)  # fmt: skip
def test_biased_attention_equals_the_sum_written_out(t: int, s: int, axes: int, masked: bool, seed: int) -> None:
    q, k, v = (double_tensor(2, 3, n, 8, seed=seed + i) for i, n in enumerate((t, s, s)))
    bias = double_tensor(*(2, 3, t, s)[4 - axes :], seed=seed + 5)
    mask = open_mask(t, s, "random") if masked else None
    scores = q @ k.mT / math.sqrt(8) + bias
    right = (scores if mask is None else scores.masked_fill(~mask, -math.inf)).softmax(-1) @ v
    gradients = torch.autograd.grad(right.square().sum(), (q, k, v, bias))
    for out in forms(q, k, v, mask, bias):
        torch.testing.assert_close(out, right, rtol=1e-10, atol=1e-10)
        ours = torch.autograd.grad(out.square().sum(), (q, k, v, bias))
        torch.testing.assert_close(ours, gradients, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda q, k, b: q @ k.mT / math.sqrt(8),  # the bias is dropped
        lambda q, k, b: (q @ k.mT + b) / math.sqrt(8),  # divided, too
        lambda q, k, b: q @ k.mT / math.sqrt(8) - b,
        lambda q, k, b: q @ k.mT / math.sqrt(8) + b.mT,
        lambda q, k, b: q @ k.mT / math.sqrt(8) + b.flip(0),  # another head's
    ],
)
def test_biased_attention_mutants_differ(mutant: Callable[..., torch.Tensor]) -> None:
    q, k, v = (double_tensor(2, 3, 5, 8, seed=seed).detach() for seed in range(3))
    bias = double_tensor(3, 5, 5, seed=4).detach()
    for out in forms(q, k, v, None, bias):
        assert (mutant(q, k, bias).softmax(-1) @ v - out).abs().max() > 1e-2


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_biased_query_with_nothing_to_attend_to_is_zero(dtype: torch.dtype) -> None:
    q, k, v = (double_tensor(2, 4, 5, 8, seed=seed).detach().to(dtype).requires_grad_() for seed in range(3))
    mask = torch.ones(2, 1, 5, 5, dtype=torch.bool)
    mask[0, 0, 2] = False
    bias = OneSidedAlibi(4).bias(5, 5)
    for out in forms(q, k, v, mask, bias):
        assert out.dtype == dtype
        assert (out[0, :, 2] == 0).all()
        assert (out[1, :, 2] != 0).any()
        gradients = torch.autograd.grad(out.float().square().sum(), (q, k, v), retain_graph=True)
        assert all(g.isfinite().all() for g in gradients)


def scheme(name: str) -> AttentionPositions:
    made = {
        "t5": T5Bias(4, 16, 20), "t5 causal": T5Bias(4, both_sides=False), "alibi": Alibi(4), "one": OneSidedAlibi(4)
    }  # fmt: skip
    return made[name]


@pytest.mark.parametrize("name", ["t5", "t5 causal", "alibi", "one"])
@pytest.mark.parametrize("first", [1, 3, 6])
def test_a_cache_changes_nothing_with_a_bias(first: int, name: str) -> None:
    layer, x = randomise(MultiHeadAttention(32, 4, scheme(name))), double_tensor(2, 6, 32).detach()
    cache = GrowingCache()
    parts = [layer(x[:, :first], x[:, :first], masks.causal(first), cache)]
    parts += [layer(x[:, t : t + 1], x[:, t : t + 1], None, cache) for t in range(first, 6)]
    whole = layer(x, x, masks.causal(6))
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-10, atol=1e-10)
    layer.positions = None
    assert (layer(x, x, masks.causal(6)) - whole).abs().max() > 1e-2


@pytest.mark.parametrize("name", ["t5", "alibi", "one"])
def test_the_weights_shown_are_those_used(name: str) -> None:
    layer, x = randomise(MultiHeadAttention(32, 4, scheme(name))), double_tensor(2, 6, 32).detach()
    v = layer.split_heads(layer.w_v(x))
    out = layer.w_o((layer.weights(x, x) @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(out, layer(x, x), rtol=1e-10, atol=1e-10)


def test_no_positions_are_the_neutral_ones() -> None:
    plain, x = randomise(MultiHeadAttention(32, 4)), double_tensor(2, 6, 32).detach()
    neutral = MultiHeadAttention(32, 4, AttentionPositions()).double()
    neutral.load_state_dict(plain.state_dict())
    assert torch.equal(neutral(x, x), plain(x, x))


def test_only_t5_is_trained_and_stored() -> None:
    plain = list(MultiHeadAttention(32, 4).state_dict())
    assert list(MultiHeadAttention(32, 4, Alibi(4)).state_dict()) == plain
    layer = MultiHeadAttention(32, 4, T5Bias(4))
    assert list(layer.state_dict()) == [*plain, "positions.table"]
    x = torch.randn(1, 5, 32)
    layer(x, x).square().sum().backward()
    seen = layer.positions.table.grad.abs().sum(1).nonzero().flatten().tolist()
    assert seen == [0, 1, 2, 3, 4, 17, 18, 19, 20]  # the distances that occur


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: t5_buckets(FAR, 6), "n_buckets: got 6, need a multiple of 4"),
        (lambda: t5_buckets(FAR, 3, both_sides=False), "n_buckets: got 3, need a multiple of 2"),
        (lambda: t5_buckets(FAR, 32, 8), "max_distance: got 8, need more than 8"),
        (lambda: T5Bias(4, 0), "n_buckets: got 0, need a multiple of 4"),
        (lambda: T5Bias(0), "n_heads: got 0, need at least one head"),
        (lambda: alibi_slopes(0), "n_heads: got 0, need at least one head"),
        (lambda: Alibi(4).bias(3, 2), "n_keys: got 2, need at least n_queries=3: positions are for self-attention"),
        (
            lambda: attention_weights(*torch.zeros(2, 1, 4, 3, 8), bias=torch.zeros(2, 3, 3)),
            r"bias: got \(2, 3, 3\), need a shape that broadcasts to \(B, H, T, S\) = \(1, 4, 3, 3\)",
        ),
        (
            lambda: fused_attention(*torch.zeros(3, 1, 4, 3, 8), bias=torch.zeros(2, 1, 1, 3, 3)),
            r"bias: got \(2, 1, 1, 3, 3\), need a shape that broadcasts",
        ),
        (lambda: MultiHeadAttention(32, 4, Alibi(3))(*torch.zeros(2, 1, 5, 32)), r"bias: got \(3, 5, 5\), need"),
    ],
)
def test_bad_input(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
