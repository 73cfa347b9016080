"""Encoder, decoder and whole model equal torch's; a cache changes nothing; sizes and first weights."""

import dataclasses
import itertools
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import assert_same_function, copy_weights, double_tensor, randomise
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.count import count_parameters, parameters_by_kind
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn import masks

D, F, SRC, TGT, MAX = 32, 48, 23, 19, 12
CONFIG = Seq2SeqConfig(
    src_vocab_size=SRC, tgt_vocab_size=TGT, d_model=D, n_heads=4, d_ff=F,
    n_encoder_layers=2, n_decoder_layers=3, dropout=0.0, max_len=MAX,
)  # fmt: skip
EXACT = {"rtol": 1e-10, "atol": 1e-10}


def net(pre: bool = True, heads: int = 4, seed: int = 0) -> Seq2Seq:
    return randomise(Seq2Seq(dataclasses.replace(CONFIG, pre_norm=pre, n_heads=heads)), seed)


def some_ids(batch: int, length: int, vocab: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(3, vocab, (batch, length), generator=torch.Generator().manual_seed(seed))


def torchs(ours: Seq2Seq) -> nn.Transformer:
    """Torch's model. It stays in training mode (dropout is 0): in eval mode it takes a path without gradients."""
    c = ours.config
    how = {"dropout": 0.0, "batch_first": True, "norm_first": c.pre_norm, "dtype": torch.float64}
    # Torch's own nn.Transformer also puts a norm behind post-norm blocks, which the paper does not.
    norms = [nn.LayerNorm(D, dtype=torch.float64) if c.pre_norm else None for _ in range(2)]
    layer = nn.TransformerEncoderLayer(D, c.n_heads, F, **how)
    encoder = nn.TransformerEncoder(layer, c.n_encoder_layers, norms[0], enable_nested_tensor=False)
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(D, c.n_heads, F, **how), c.n_decoder_layers, norms[1])
    theirs = nn.Transformer(D, c.n_heads, custom_encoder=encoder, custom_decoder=decoder, batch_first=True)
    copy_weights(ours, theirs)
    return theirs


def embed(weight: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Vaswani et al. 2017, §3.4 and §3.5, number by number."""
    angles = [[t / 10000 ** (2 * (j // 2) / D) for j in range(D)] for t in range(ids.size(1))]
    table = [[math.cos(a) if j % 2 else math.sin(a) for j, a in enumerate(row)] for row in angles]
    one_hot = nn.functional.one_hot(ids, weight.size(0)).double()
    return one_hot @ weight * math.sqrt(D) + torch.tensor(table).double()  # the table is float32 in ours too


def run_torchs(ours: Seq2Seq, theirs: nn.Transformer, src: torch.Tensor, tgt: torch.Tensor) -> torch.Tensor:
    hidden, table = src == 0, ours.decoder.embedding.weight
    x, y = embed(ours.encoder.embedding.weight, src), embed(table, tgt)
    causal = torch.ones(tgt.size(1), tgt.size(1), dtype=torch.bool).triu(1)
    out = theirs(x, y, tgt_mask=causal, src_key_padding_mask=hidden, memory_key_padding_mask=hidden)
    return out @ table.T


DRAWN = {
    "batch": st.integers(1, 3), "s": st.integers(1, 6), "heads": st.sampled_from([1, 2, 4, 8]),
    "pre": st.booleans(), "pads": st.integers(0, 3), "seed": st.integers(0, 99),
}  # fmt: skip


def padded(batch: int, length: int, pads: int, seed: int) -> torch.Tensor:
    src = some_ids(batch, length, SRC, seed)
    src[-1, max(1, length - pads) :] = 0
    return src


@settings(max_examples=12)
@given(**DRAWN)
def test_encoder_equals_torch(batch: int, s: int, heads: int, pre: bool, pads: int, seed: int) -> None:
    ours, src = net(pre, heads, seed), padded(batch, s, pads, seed)
    theirs, table = torchs(ours).encoder, ours.encoder.embedding.weight
    b = theirs(embed(table, src), src_key_padding_mask=src == 0)
    assert_same_function(ours.encoder, theirs, (ours.encode(src)[0], b), [table])


@settings(max_examples=12)
@given(**DRAWN, t=st.integers(1, 6))
def test_decoder_equals_torch(batch: int, s: int, t: int, heads: int, pre: bool, pads: int, seed: int) -> None:
    ours, src, tgt = net(pre, heads, seed), padded(batch, s, pads, seed), some_ids(batch, t, TGT, seed)
    theirs, table = torchs(ours).decoder, ours.output_weight
    memory, mask = double_tensor(batch, s, D, seed=seed), masks.padding(src, 0)
    b = theirs(embed(table, tgt), memory, tgt_mask=~masks.causal(t), memory_key_padding_mask=src == 0)
    assert_same_function(ours.decoder, theirs, (ours.decode(tgt, memory, mask), b), [table, memory])


@settings(max_examples=12)
@given(**DRAWN, t=st.integers(1, 6))
def test_model_equals_torch(batch: int, s: int, t: int, heads: int, pre: bool, pads: int, seed: int) -> None:
    ours, src, tgt = net(pre, heads, seed), padded(batch, s, pads, seed), some_ids(batch, t, TGT, seed)
    theirs = torchs(ours)
    tables = [ours.encoder.embedding.weight, ours.decoder.embedding.weight]
    assert_same_function(ours, theirs, (ours(src, tgt), run_torchs(ours, theirs, src, tgt)), tables)


def no_positions(model: Seq2Seq) -> None:
    model.decoder.positions.table.zero_()


def late_positions(model: Seq2Seq) -> None:
    model.encoder.positions.table[:-1] = model.encoder.positions.table[1:].clone()


def no_embedding_scale(model: Seq2Seq) -> None:
    model.encoder.embedding.weight.data /= D**0.5


def no_padding_mask(model: Seq2Seq) -> None:
    model.config = dataclasses.replace(model.config, pad_id=1)


def no_causal_mask(model: Seq2Seq) -> None:
    inner = model.decoder.forward
    model.decoder.forward = lambda tgt, memory, mask, *rest: inner(tgt, memory, None, *rest)  # type: ignore[method-assign]


def memory_before_the_last_norm(model: Seq2Seq) -> None:
    model.encoder.norm = nn.Identity()


def no_last_norm(model: Seq2Seq) -> None:
    model.decoder.norm = nn.Identity()


def blocks_in_another_order(model: Seq2Seq) -> None:
    model.decoder.blocks = nn.ModuleList(reversed(model.decoder.blocks))


def one_block_less(model: Seq2Seq) -> None:
    model.encoder.blocks = model.encoder.blocks[:-1]


def output_of_its_own(model: Seq2Seq) -> None:
    model.logits = lambda x: x @ model.encoder.embedding.weight[:TGT].T  # type: ignore[method-assign]


IN_THE_ENCODER = [late_positions, no_embedding_scale, no_padding_mask, memory_before_the_last_norm, one_block_less]
IN_THE_DECODER = [no_positions, no_causal_mask, no_last_norm, blocks_in_another_order]


@pytest.mark.parametrize("break_it", [*IN_THE_ENCODER, *IN_THE_DECODER, output_of_its_own])
def test_model_mutants_differ(break_it: Callable[[Seq2Seq], None]) -> None:
    ours, src, tgt = net(), padded(2, 6, 2, 0), some_ids(2, 5, TGT)
    b = run_torchs(ours, torchs(ours), src, tgt)
    torch.testing.assert_close(ours(src, tgt), b, **EXACT)
    break_it(ours)
    assert (ours(src, tgt) - b).abs().max() > 1e-2


@pytest.mark.parametrize("break_it", IN_THE_ENCODER)
def test_encoder_mutants_differ(break_it: Callable[[Seq2Seq], None]) -> None:
    ours, src = net(), padded(2, 6, 2, 0)
    b = torchs(ours).encoder(embed(ours.encoder.embedding.weight, src), src_key_padding_mask=src == 0)
    torch.testing.assert_close(ours.encode(src)[0], b, **EXACT)
    break_it(ours)
    assert (ours.encode(src)[0] - b).abs().max() > 1e-2


@pytest.mark.parametrize("break_it", IN_THE_DECODER)
def test_decoder_mutants_differ(break_it: Callable[[Seq2Seq], None]) -> None:
    ours, tgt, memory = net(), some_ids(2, 5, TGT), double_tensor(2, 6, D)
    b = torchs(ours).decoder(embed(ours.output_weight, tgt), memory, tgt_mask=~masks.causal(5))
    torch.testing.assert_close(ours.decode(tgt, memory), b, **EXACT)
    break_it(ours)
    assert (ours.decode(tgt, memory) - b).abs().max() > 1e-2


def cached(model: Seq2Seq, tgt: torch.Tensor, src: torch.Tensor, first: int) -> torch.Tensor:
    """States of the target: ``first`` tokens at once, then one by one."""
    memory, mask = model.encode(src)
    caches = model.decoder.new_caches()
    cuts = [0, *range(first, tgt.size(1) + 1)]
    steps = [tgt[:, a:b] for a, b in itertools.pairwise(cuts)]
    return torch.cat([model.decode(step, memory, mask, caches) for step in steps], 1)


@pytest.mark.parametrize("pre", [True, False])
@pytest.mark.parametrize("first", [1, 4, 7])
def test_cached_states_are_the_uncached_ones(first: int, pre: bool) -> None:
    model, src, tgt = net(pre), padded(3, 6, 2, 0), some_ids(3, 7, TGT)
    torch.testing.assert_close(cached(model, tgt, src, first), model.states(src, tgt), **EXACT)


def test_a_cache_that_forgets_the_position_is_found() -> None:
    model, src, tgt = net(), padded(3, 6, 2, 0), some_ids(3, 7, TGT)
    inner = model.decoder.positions.forward
    whole = model.states(src, tgt)
    model.decoder.positions.forward = lambda x, start=0: inner(x, 0)  # type: ignore[method-assign]
    assert (cached(model, tgt, src, 3) - whole).abs().max() > 1e-2


def block_size(attentions: int) -> int:
    return attentions * 4 * (D * D + D) + (D * F + F) + (F * D + D) + (attentions + 1) * 2 * D


@pytest.mark.parametrize("pre", [True, False])
def test_parameters_are_the_closed_form(pre: bool) -> None:
    model = net(pre)
    last_norms = 2 * 2 * D if pre else 0
    assert count_parameters(model) == (SRC + TGT) * D + 2 * block_size(1) + 3 * block_size(2) + last_norms
    kinds = parameters_by_kind(model)
    assert sum(kinds.values()) == count_parameters(model)
    assert kinds["TokenEmbedding"] == (SRC + TGT) * D
    assert kinds["LayerNorm"] == 2 * D * (2 * 2 + 3 * 3) + last_norms
    assert list(kinds.values()) == sorted(kinds.values(), reverse=True)


def test_frozen_and_tied_parameters() -> None:
    layer = nn.Linear(3, 5)
    tied = nn.ModuleList([layer, layer])
    assert count_parameters(tied) == 20
    layer.bias.requires_grad_(False)
    assert count_parameters(tied) == 15
    assert parameters_by_kind(tied) == {"Linear": 15}


def test_initial_weights_are_glorots() -> None:
    model = Seq2Seq(dataclasses.replace(CONFIG, d_model=128, d_ff=512, src_vocab_size=1000))
    w = model.encoder.blocks[0].feed_forward.w_1
    bound = math.sqrt(6 / (128 + 512))
    assert 0.99 * bound < w.weight.abs().max() <= bound
    assert w.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert all((m.bias == 0).all() for m in model.modules() if isinstance(m, nn.Linear))
    assert model.encoder.embedding.weight.std().item() == pytest.approx(128**-0.5, rel=0.02)
