"""Encoder and decoder blocks equal torch's layers, with the norm before and after, in outputs and all gradients."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import assert_same_function, copy_weights, double_tensor, hide, open_mask, randomise
from ttlib.nn import masks
from ttlib.nn.blocks import BlockCache, DecoderBlock, EncoderBlock, PostNorm, PreNorm
from ttlib.nn.cache import GrowingCache

D, F = 32, 48
Block = EncoderBlock | DecoderBlock
KINDS = st.sampled_from(["none", "causal", "random"])


def twins(ours: type[Block], heads: int = 4, pre: bool = True, seed: int = 0) -> tuple[Block, nn.Module]:
    theirs = {EncoderBlock: nn.TransformerEncoderLayer, DecoderBlock: nn.TransformerDecoderLayer}[ours]
    mine = randomise(ours(D, heads, F, 0.0, PreNorm if pre else PostNorm), seed)
    other = theirs(D, heads, F, 0.0, "relu", batch_first=True, norm_first=pre, dtype=torch.float64)
    copy_weights(mine, other)
    return mine, other


@settings(max_examples=15)
@given(
    batch=st.integers(1, 3), s=st.integers(1, 6), heads=st.sampled_from([1, 2, 4, 8]),
    pre=st.booleans(), kind=KINDS, seed=st.integers(0, 99),
)  # fmt: skip
def test_encoder_block_equals_torch(batch: int, s: int, heads: int, pre: bool, kind: str, seed: int) -> None:
    ours, theirs = twins(EncoderBlock, heads, pre, seed)
    x, mask = double_tensor(batch, s, D, seed=seed), open_mask(s, s, kind)
    assert_same_function(ours, theirs, (ours(x, mask), theirs(x, src_mask=hide(mask))), [x])


@settings(max_examples=15)
@given(
    batch=st.integers(1, 3), t=st.integers(1, 6), s=st.integers(1, 6), heads=st.sampled_from([1, 2, 4, 8]),
    pre=st.booleans(), kind=KINDS, seed=st.integers(0, 99),
)  # fmt: skip
def test_decoder_block_equals_torch(batch: int, t: int, s: int, heads: int, pre: bool, kind: str, seed: int) -> None:
    ours, theirs = twins(DecoderBlock, heads, pre, seed)
    x, memory = double_tensor(batch, t, D, seed=seed), double_tensor(batch, s, D, seed=seed + 1)
    own, cross = open_mask(t, t, kind), open_mask(t, s, kind)
    b = theirs(x, memory, tgt_mask=hide(own), memory_mask=hide(cross))
    assert_same_function(ours, theirs, (ours(x, memory, own, cross), b), [x, memory])


class Changed(nn.Module):
    """A sublayer of which something else is made."""

    def __init__(self, good: nn.Module, change: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.good, self.change = good, change

    def forward(self, *args: object) -> torch.Tensor:
        return self.change(self.good, *args)


class NoResidual(nn.Module):
    """Forgets to add x."""

    def __init__(self, good: PreNorm | PostNorm) -> None:
        super().__init__()
        self.good = good

    def forward(self, x: torch.Tensor, sublayer: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        return self.good(x, sublayer) - x if isinstance(self.good, PreNorm) else self.good.norm(sublayer(x))


def gelu(block: Block) -> None:
    wrong = lambda good, x: good.w_2(nn.functional.gelu(good.w_1(x)))  # noqa: E731
    block.feed_forward = Changed(block.feed_forward, wrong)


def moved_norm(block: Block) -> None:
    good = block.residual_2
    block.residual_2 = (PostNorm if isinstance(good, PreNorm) else PreNorm)(D, 0.0)
    block.residual_2.norm = good.norm


def no_residual(block: Block) -> None:
    block.residual_1 = NoResidual(block.residual_1)


def swapped_norms(block: Block) -> None:
    block.residual_1, block.residual_2 = block.residual_2, block.residual_1


def no_mask(block: Block) -> None:
    block.self_attention = Changed(block.self_attention, lambda good, x, memory, *mask: good(x, memory))


def wrong_memory(block: DecoderBlock) -> None:
    block.cross_attention = Changed(block.cross_attention, lambda good, x, memory, *mask: good(x, x))


def memory_asks(block: DecoderBlock) -> None:
    block.cross_attention = Changed(block.cross_attention, lambda good, x, memory, *mask: good(memory, x))


def no_memory_mask(block: DecoderBlock) -> None:
    block.cross_attention = Changed(block.cross_attention, lambda good, x, memory, *mask: good(x, memory))


def one_attention(block: DecoderBlock) -> None:
    block.cross_attention = block.self_attention


BOTH = [gelu, moved_norm, no_residual, swapped_norms, no_mask]


@pytest.mark.parametrize("pre", [True, False])
@pytest.mark.parametrize("break_it", BOTH)
def test_encoder_block_mutants_differ(break_it: Callable[[Block], None], pre: bool) -> None:
    ours, theirs = twins(EncoderBlock, pre=pre)
    x, mask = double_tensor(2, 5, D), open_mask(5, 5, "random")
    b = theirs(x, src_mask=hide(mask))
    torch.testing.assert_close(ours(x, mask), b, rtol=1e-10, atol=1e-10)
    break_it(ours)
    assert (ours(x, mask) - b).abs().max() > 1e-2


@pytest.mark.parametrize("pre", [True, False])
@pytest.mark.parametrize("break_it", [*BOTH, wrong_memory, memory_asks, no_memory_mask, one_attention])
def test_decoder_block_mutants_differ(break_it: Callable[[DecoderBlock], None], pre: bool) -> None:
    ours, theirs = twins(DecoderBlock, pre=pre)
    x, memory, own, cross = (
        double_tensor(2, 5, D),
        double_tensor(2, 5, D, seed=1),
        masks.causal(5),
        open_mask(5, 5, "random"),
    )
    b = theirs(x, memory, tgt_mask=hide(own), memory_mask=hide(cross))
    torch.testing.assert_close(ours(x, memory, own, cross), b, rtol=1e-10, atol=1e-10)
    break_it(ours)
    assert (ours(x, memory, own, cross) - b).abs().max() > 1e-2


@pytest.mark.parametrize("pre", [True, False])
@pytest.mark.parametrize("first", [1, 3, 6])
def test_a_cached_decoder_block_is_the_uncached_one(first: int, pre: bool) -> None:
    block, _ = twins(DecoderBlock, pre=pre)
    x, memory, cross = double_tensor(2, 6, D), double_tensor(2, 4, D, seed=1), open_mask(6, 4, "random")
    cache, parts = BlockCache(), []
    for start, end in [(0, first), *((t, t + 1) for t in range(first, 6))]:
        parts.append(block(x[:, start:end], memory, masks.causal(end - start, end), cross[start:end], cache))
    torch.testing.assert_close(torch.cat(parts, 1), block(x, memory, masks.causal(6), cross), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("pre", [True, False])
@pytest.mark.parametrize("first", [1, 3, 6])
def test_a_cached_encoder_block_is_the_uncached_one(first: int, pre: bool) -> None:
    """Under a causal mask: the block of a decoder-only model."""
    block, _ = twins(EncoderBlock, pre=pre)
    x, cache, parts = double_tensor(2, 6, D), GrowingCache(), []
    for start, end in [(0, first), *((t, t + 1) for t in range(first, 6))]:
        parts.append(block(x[:, start:end], masks.causal(end - start, end), cache))
    torch.testing.assert_close(torch.cat(parts, 1), block(x, masks.causal(6)), rtol=1e-10, atol=1e-10)


def test_the_makers_make_the_parts() -> None:
    made = [nn.Identity() for _ in range(4)]
    norms = iter(made[2:])
    residual = partial(PreNorm, eps=0.25, norm=lambda d, eps: next(norms) if (d, eps) == (D, 0.25) else None)
    feed_forward = lambda d, f: made[0] if (d, f) == (D, F) else None  # noqa: E731
    attention = lambda d, h: made[1] if (d, h) == (D, 8) else None  # noqa: E731
    block = EncoderBlock(D, 8, F, 0.0, residual, feed_forward, attention)
    assert [block.feed_forward, block.self_attention, block.residual_1.norm, block.residual_2.norm] == made


@pytest.mark.parametrize("residual", [PreNorm, PostNorm])
def test_dropout_falls_on_the_sublayer_alone(residual: type[PreNorm]) -> None:
    layer, x = residual(D, 0.5).double(), double_tensor(2, 3, D)
    out = layer(x, torch.ones_like)
    said = out - x if residual is PreNorm else None
    if said is None:
        assert not torch.allclose(out, layer.eval()(x, torch.ones_like))
        torch.testing.assert_close(layer.train()(x, torch.zeros_like), layer.norm(x))
    else:
        assert set(said.round(decimals=6).unique().tolist()) == {0.0, 2.0}
        torch.testing.assert_close(layer.eval()(x, torch.ones_like), x + 1)


def test_a_block_cache_keeps_the_chosen_rows_and_the_first_memory() -> None:
    block, _ = twins(DecoderBlock)
    x, memory, cache, rows = double_tensor(3, 4, D), double_tensor(3, 5, D, seed=1), BlockCache(), torch.tensor([2, 0])
    block(x[:, :3], memory, masks.causal(3), None, cache)
    cache.select(rows)
    other = double_tensor(2, 5, D, seed=2)  # not looked at: keys and values of the first memory are there already
    last = block(x[rows, 3:], other, None, None, cache)
    whole = block(x, memory, masks.causal(4))
    torch.testing.assert_close(last, whole[rows, 3:], rtol=1e-10, atol=1e-10)
