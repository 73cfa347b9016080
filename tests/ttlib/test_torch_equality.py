"""Same weights, same function: our modules against torch's, outputs and gradients, in float64."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import copy_attention, copy_block, grads, randomise
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn import masks
from ttlib.nn.blocks import DecoderBlock, EncoderBlock, PostNorm, PreNorm
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.norms import LayerNorm, layer_norm
from ttlib.nn.positions import sinusoids

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")
D, F = 32, 48
SIZES = {
    "batch": st.integers(1, 3),
    "t": st.integers(1, 6),
    "s": st.integers(1, 6),
    "heads": st.sampled_from([1, 2, 4, 8]),
}


def tensor(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def some_mask(t: int, s: int, kind: str) -> torch.Tensor | None:
    """None, causal, or random with at least one key for every query."""
    if kind == "none":
        return None
    if kind == "causal":
        return torch.ones(t, s, dtype=torch.bool).tril(max(0, s - t))
    mask = torch.rand(t, s, generator=torch.Generator().manual_seed(t * 7 + s)) < 0.6
    mask[:, 0] = True
    return mask


def hidden(mask: torch.Tensor | None) -> torch.Tensor | None:
    """Torch's boolean masks mean the opposite: True = hidden."""
    return None if mask is None else ~mask


def assert_same(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def twins(heads: int) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    ours = randomise(MultiHeadAttention(D, heads))
    theirs = nn.MultiheadAttention(D, heads, batch_first=True).double()
    copy_attention(ours, theirs)
    return ours, theirs


@given(**SIZES, kind=st.sampled_from(["none", "causal", "random"]))
def test_multihead_equals_torch(batch: int, t: int, s: int, heads: int, kind: str) -> None:
    ours, theirs = twins(heads)
    x, memory, mask = tensor(batch, t, D), tensor(batch, s, D, seed=1), some_mask(t, s, kind)
    a = ours(x, memory, mask)
    b, weights = theirs(x, memory, memory, attn_mask=hidden(mask), average_attn_weights=False)
    assert_same([a, ours.weights(x, memory, mask)], [b, weights])
    assert_same(grads(a, [x, memory]), grads(b, [x, memory]))
    own = grads(ours(x, memory, mask), [ours.w_q.weight, ours.w_k.weight, ours.w_v.weight, ours.w_o.weight])
    packed, out = grads(
        theirs(x, memory, memory, attn_mask=hidden(mask))[0], [theirs.in_proj_weight, theirs.out_proj.weight]
    )
    assert_same([torch.cat(own[:3]), own[3]], [packed, out])


def no_scale(layer: MultiHeadAttention) -> None:
    layer.w_q.weight.data *= (D / layer.n_heads) ** 0.5
    layer.w_q.bias.data *= (D / layer.n_heads) ** 0.5


def swapped(layer: MultiHeadAttention) -> None:
    layer.w_k, layer.w_v = layer.w_v, layer.w_k


def fewer_heads(layer: MultiHeadAttention) -> None:
    layer.n_heads = 2


def no_output(layer: MultiHeadAttention) -> None:
    layer.w_o = nn.Identity()


@pytest.mark.parametrize("break_it", [no_scale, swapped, fewer_heads, no_output])
def test_multihead_mutants_differ(break_it: Callable[[MultiHeadAttention], None]) -> None:
    ours, theirs = twins(4)
    x, memory = tensor(2, 5, D), tensor(2, 6, D, seed=1)
    b = theirs(x, memory, memory)[0]
    assert_same([ours(x, memory)], [b])
    break_it(ours)
    assert (ours(x, memory) - b).abs().max() > 1e-3


def test_multihead_mutant_without_its_mask_differs() -> None:
    ours, theirs = twins(4)
    x, mask = tensor(2, 5, D), some_mask(5, 5, "causal")
    b = theirs(x, x, x, attn_mask=hidden(mask))[0]
    assert_same([ours(x, x, mask)], [b])
    assert (ours(x, x) - b).abs().max() > 1e-3
    assert (ours(x, x, hidden(mask)) - b).abs().max() > 1e-3


@given(**SIZES, pre=st.booleans(), kind=st.sampled_from(["none", "causal", "random"]))
def test_blocks_equals_torch(batch: int, t: int, s: int, heads: int, pre: bool, kind: str) -> None:
    residual = PreNorm if pre else PostNorm
    encoder, decoder = (randomise(kind_(D, heads, F, 0.0, residual)) for kind_ in (EncoderBlock, DecoderBlock))
    options = {"dropout": 0.0, "batch_first": True, "norm_first": pre, "dtype": torch.float64}
    their_encoder = nn.TransformerEncoderLayer(D, heads, F, **options)
    their_decoder = nn.TransformerDecoderLayer(D, heads, F, **options)
    copy_block(encoder, their_encoder)
    copy_block(decoder, their_decoder)
    x, memory = tensor(batch, t, D), tensor(batch, s, D, seed=1)
    own_mask, cross_mask = some_mask(t, t, kind), some_mask(t, s, kind)
    a, b = encoder(x, own_mask), their_encoder(x, src_mask=hidden(own_mask))
    assert_same([a, *grads(a, [x])], [b, *grads(b, [x])])
    a = decoder(x, memory, own_mask, cross_mask)
    b = their_decoder(x, memory, tgt_mask=hidden(own_mask), memory_mask=hidden(cross_mask))
    assert_same([a, *grads(a, [x, memory])], [b, *grads(b, [x, memory])])
    ours = grads(
        decoder(x, memory, own_mask, cross_mask), [decoder.feed_forward.w_1.weight, decoder.residual_2.norm.weight]
    )
    theirs = grads(b, [their_decoder.linear1.weight, their_decoder.norm2.weight])
    assert_same(ours, theirs)


class Gelu(nn.Module):
    """The feed-forward layer with the wrong activation."""

    def __init__(self, good: nn.Module) -> None:
        super().__init__()
        self.good = good

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.good.w_2(nn.functional.gelu(self.good.w_1(x)))


def move_norm(block: DecoderBlock) -> None:
    good = block.residual_2
    block.residual_2 = PostNorm(D, 0.0).double()
    block.residual_2.norm = good.norm


def other_activation(block: DecoderBlock) -> None:
    block.feed_forward = Gelu(block.feed_forward)


def look_at_itself(block: DecoderBlock) -> None:
    block.cross_attention = block.self_attention


@pytest.mark.parametrize("break_it", [move_norm, other_activation, look_at_itself])
def test_blocks_mutants_differ(break_it: Callable[[DecoderBlock], None]) -> None:
    ours = randomise(DecoderBlock(D, 4, F, 0.0, PreNorm))
    theirs = nn.TransformerDecoderLayer(D, 4, F, 0.0, batch_first=True, norm_first=True, dtype=torch.float64)
    copy_block(ours, theirs)
    x, memory = tensor(2, 5, D), tensor(2, 6, D, seed=1)
    b = theirs(x, memory)
    assert_same([ours(x, memory)], [b])
    break_it(ours)
    assert (ours(x, memory) - b).abs().max() > 1e-3


def model_twins(pre: bool, heads: int = 4) -> tuple[Seq2Seq, nn.Transformer]:
    """Our whole model, and torch's with the same weights (embeddings and positions are outside of torch's)."""
    config = Seq2SeqConfig(
        src_vocab_size=23, tgt_vocab_size=19, d_model=D, n_heads=heads, d_ff=F,
        n_encoder_layers=2, n_decoder_layers=3, dropout=0.0, pre_norm=pre, max_len=12,
    )  # fmt: skip
    ours = Seq2Seq(config)
    randomise(ours)
    theirs = nn.Transformer(D, heads, 2, 3, F, 0.0, batch_first=True, norm_first=pre, dtype=torch.float64)
    for mine, other in ((ours.encoder, theirs.encoder), (ours.decoder, theirs.decoder)):
        for block, layer in zip(mine.blocks, other.layers, strict=True):
            copy_block(block, layer)
        if pre:
            other.norm.weight.data, other.norm.bias.data = mine.norm.weight.data, mine.norm.bias.data
        else:
            other.norm = None  # torch adds a last norm after post-norm blocks too; the paper does not
    return ours, theirs


def run_torch(ours: Seq2Seq, theirs: nn.Transformer, src: torch.Tensor, tgt: torch.Tensor) -> torch.Tensor:
    table = sinusoids(12, D).double()

    def embed(weight: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return nn.functional.embedding(ids, weight) * D**0.5 + table[: ids.size(1)]

    causal = ~masks.causal(tgt.size(1))
    out = theirs(
        embed(ours.encoder.embedding.weight, src), embed(ours.output_weight, tgt), tgt_mask=causal,
        src_key_padding_mask=src == 0, memory_key_padding_mask=src == 0,
    )  # fmt: skip
    return out @ ours.output_weight.T


def some_ids(batch: int, length: int, vocab: int, pad: bool) -> torch.Tensor:
    ids = torch.randint(3, vocab, (batch, length), generator=torch.Generator().manual_seed(length))
    if pad and length > 2:
        ids[-1, -2:] = 0
    return ids


@given(batch=SIZES["batch"], t=SIZES["t"], s=SIZES["s"], heads=st.sampled_from([2, 8]), pre=st.booleans())
def test_model_equals_torch(batch: int, t: int, s: int, heads: int, pre: bool) -> None:
    ours, theirs = model_twins(pre, heads)
    theirs.train()  # dropout is 0; in eval mode torch's encoder takes a path that has no gradients
    src, tgt = some_ids(batch, s, 23, True), some_ids(batch, t, 19, False)
    a, b = ours(src, tgt), run_torch(ours, theirs, src, tgt)
    assert_same([a], [b])
    tables = [ours.encoder.embedding.weight, ours.output_weight]
    assert_same(grads(a, tables), grads(b, tables))


def forget_positions(model: Seq2Seq) -> None:
    model.encoder.positions.table.zero_()


def forget_factor(model: Seq2Seq) -> None:
    model.encoder.embedding.weight.data /= D**0.5


def forget_padding(model: Seq2Seq) -> None:
    object.__setattr__(model.config, "pad_id", 1)


def forget_last_norm(model: Seq2Seq) -> None:
    model.encoder.norm = nn.Identity()


@pytest.mark.parametrize("break_it", [forget_positions, forget_factor, forget_padding, forget_last_norm])
def test_model_mutants_differ(break_it: Callable[[Seq2Seq], None]) -> None:
    ours, theirs = model_twins(True)
    src, tgt = some_ids(2, 6, 23, True), some_ids(2, 5, 19, False)
    b = run_torch(ours, theirs.train(), src, tgt)
    assert_same([ours(src, tgt)], [b])
    break_it(ours)
    assert (ours(src, tgt) - b).abs().max() > 1e-3


def test_norm_equals_torch_and_its_formula() -> None:
    ours, theirs, x = randomise(LayerNorm(D)), nn.LayerNorm(D).double(), tensor(3, 4, D)
    theirs.weight.data, theirs.bias.data = ours.weight.data, ours.bias.data
    a, b, c = ours(x), theirs(x), layer_norm(x, ours.weight, ours.bias)
    assert_same([a, *grads(a, [x])], [b, *grads(b, [x])])
    assert_same([a, *grads(a, [x])], [c, *grads(c, [x])])


def test_norm_mutants_differ() -> None:
    ours, x = randomise(LayerNorm(D)), tensor(3, 4, D)
    centred = x - x.mean(-1, keepdim=True)
    for std in (centred.square().mean(-1, keepdim=True), x.std(-1, keepdim=True), x.std(1, keepdim=True)):
        assert (ours.weight * centred / std + ours.bias - ours(x)).abs().max() > 1e-3
