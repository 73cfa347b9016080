"""Masks by hand, and what they promise in a whole model: nobody sees the future, nobody sees padding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from tests.ttlib.torch_twins import randomise
from ttlib.errors import InputError
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn import masks

SRC, TGT = 30, 25


def net(pre: bool = True, pad_id: int = 0) -> Seq2Seq:
    config = Seq2SeqConfig(
        src_vocab_size=SRC, tgt_vocab_size=TGT, d_model=32, n_heads=4, d_ff=48, n_encoder_layers=2,
        n_decoder_layers=2, dropout=0.0, max_len=16, pre_norm=pre, pad_id=pad_id,
    )  # fmt: skip
    return randomise(Seq2Seq(config)).eval()


def some_ids(batch: int, length: int, vocab: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(3, vocab, (batch, length), generator=torch.Generator().manual_seed(seed))


def test_causal_by_hand() -> None:
    assert masks.causal(3).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert masks.causal(1).tolist() == [[True]]
    assert masks.causal(3).dtype == torch.bool


def test_causal_with_a_cache_by_hand() -> None:
    assert masks.causal(2, 4).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert masks.causal(1, 4).int().tolist() == [[1, 1, 1, 1]]


@given(t=st.integers(1, 9), seen=st.integers(0, 9))
def test_causal_with_a_cache_is_the_end_of_the_whole(t: int, seen: int) -> None:
    whole = masks.causal(seen + t)
    assert torch.equal(masks.causal(t, seen + t), whole[seen:])
    assert whole.sum(1).tolist() == list(range(1, seen + t + 1))


def test_torchs_own_causal_flag_would_be_wrong_with_a_cache() -> None:
    q, k = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 5, 8)
    theirs = F.scaled_dot_product_attention(q, k, k, is_causal=True)
    torch.testing.assert_close(theirs, k[:, :, :1])  # it sees the first key alone
    assert not torch.allclose(F.scaled_dot_product_attention(q, k, k, attn_mask=masks.causal(1, 5)), theirs)


def test_prefix_by_hand() -> None:
    mask = masks.prefix(torch.tensor([2, 0]), 3)
    assert mask.shape == (2, 1, 3, 3)
    assert mask[0, 0].int().tolist() == [[1, 1, 0], [1, 1, 0], [1, 1, 1]]
    assert torch.equal(mask[1, 0], masks.causal(3))


@given(n=st.integers(1, 9), p=st.integers(0, 9))
def test_prefix_entry_by_entry(n: int, p: int) -> None:
    p = min(p, n)
    mask = masks.prefix(torch.tensor([p]), n)[0, 0]
    for t in range(n):
        for s in range(n):
            assert mask[t, s] == (s <= t or s < p)  # t itself may stand in the prefix or behind it


def test_prefix_in_a_model_sees_its_own_future_and_nothing_else() -> None:
    model, ids = net().encoder, some_ids(1, 8, SRC)
    mask = masks.prefix(torch.tensor([4]), 8)
    before = model(ids, mask)
    for place in range(8):
        changed = ids.clone()
        changed[0, place] = (ids[0, place] - 2) % (SRC - 3) + 3
        moved = (model(changed, mask) - before).abs().amax((0, 2)) > 1e-9
        assert moved.tolist() == [t >= place or place < 4 for t in range(8)]


@pytest.mark.parametrize("lengths", [[4], [-1, 2]])
def test_prefix_beyond_the_row_is_refused(lengths: list[int]) -> None:
    with pytest.raises(InputError, match=r"lengths: got .*, need from 0 to n=3"):
        masks.prefix(torch.tensor(lengths), 3)


def test_padding_by_hand() -> None:
    mask = masks.padding(torch.tensor([[5, 6, 8], [7, 9, 9]]), pad_id=9)
    assert mask.shape == (2, 1, 1, 3)
    assert mask[:, 0, 0].int().tolist() == [[1, 1, 1], [1, 0, 0]]


def test_masks_are_joined_by_and() -> None:
    both = masks.causal(3) & masks.padding(torch.tensor([[5, 6, 7], [0, 6, 0]]), 0)
    assert both.shape == (2, 1, 3, 3)
    assert both[0, 0].int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert both[1, 0].int().tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]  # its first query has nothing


@pytest.mark.parametrize(("n_queries", "n_keys"), [(2, 1), (5, 4), (4, 0)])
def test_causal_needs_a_key_for_every_query(n_queries: int, n_keys: int) -> None:
    with pytest.raises(InputError, match=rf"n_keys: got {n_keys}, need at least n_queries={n_queries}"):
        masks.causal(n_queries, n_keys)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.uint8])
def test_a_mask_is_boolean(dtype: torch.dtype) -> None:
    with pytest.raises(InputError, match=rf"mask: got {dtype}, need torch\.bool with True = may attend"):
        masks.check_mask(torch.ones(3, 4, dtype=dtype), (2, 4, 3, 4))


@pytest.mark.parametrize("shape", [(3, 3), (4, 4), (2, 3, 4), (3, 1, 3, 4), (2, 2, 3, 4), (1, 2, 4, 3, 4), (5,)])
def test_a_mask_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        InputError, match=r"mask: got \(.*\), need a shape that broadcasts to \(B, H, T, S\) = \(2, 4, 3, 4\)"
    ):
        masks.check_mask(torch.ones(shape, dtype=torch.bool), (2, 4, 3, 4))


@pytest.mark.parametrize("shape", [(), (4,), (1,), (3, 4), (3, 1), (4, 3, 4), (1, 3, 4), (2, 1, 1, 4), (2, 4, 3, 4)])
def test_a_mask_that_broadcasts_is_taken(shape: tuple[int, ...]) -> None:
    masks.check_mask(torch.ones(shape, dtype=torch.bool), (2, 4, 3, 4))
    assert torch.broadcast_shapes(shape, (2, 4, 3, 4)) == (2, 4, 3, 4)


def changed_at(tgt: torch.Tensor, t: int) -> torch.Tensor:
    other = tgt.clone()
    other[:, t] = (tgt[:, t] - 3 + 1) % (TGT - 3) + 3
    return other


@pytest.mark.parametrize("pre", [True, False])
@pytest.mark.parametrize("t", range(6))
def test_a_later_target_token_leaves_all_before_it_bit_equal(t: int, pre: bool) -> None:
    model, src, tgt = net(pre), some_ids(2, 7, SRC), some_ids(2, 7, TGT)
    a, b = model(src, tgt), model(src, changed_at(tgt, t + 1))
    assert torch.equal(a[:, : t + 1], b[:, : t + 1])
    assert ((a - b)[:, t + 1 :].abs().amax(-1) > 1e-4).all()  # and all behind it do see it


@pytest.mark.parametrize("t", [0, 2, 4])
def test_with_a_cache_too(t: int) -> None:
    model, src, tgt = net(), some_ids(2, 7, SRC), some_ids(2, 7, TGT)
    memory, mask = model.encode(src)
    found = []
    for ids in (tgt, changed_at(tgt, t + 1)):
        caches = model.decoder.new_caches()
        states = [model.decode(part, memory, mask, caches) for part in (ids[:, :3], ids[:, 3:4], ids[:, 4:])]
        found.append(torch.cat(states, 1))
    assert torch.equal(found[0][:, : t + 1], found[1][:, : t + 1])
    assert ((found[0] - found[1])[:, t + 1 :].abs().amax(-1) > 1e-4).all()


def gradient_by_position(model: Seq2Seq, mask: torch.Tensor | None, t: int) -> torch.Tensor:
    """How much the state at t moves with each target token's embedding: (T,)."""
    src, tgt = some_ids(1, 5, SRC), some_ids(1, 7, TGT)
    memory, memory_mask = model.encode(src)
    x = model.decoder.positions(model.decoder.embedding(tgt)).detach().requires_grad_()
    y = x
    for block in model.decoder.blocks:
        y = block(y, memory, mask, memory_mask)
    weight = torch.randn(32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return torch.autograd.grad((y[0, t] * weight).sum(), x)[0][0].abs().amax(-1)


@pytest.mark.parametrize("t", [0, 3, 6])
def test_no_gradient_comes_from_the_future(t: int) -> None:
    moved = gradient_by_position(net(), masks.causal(7), t)
    assert (moved[: t + 1] > 1e-4).all()
    assert (moved[t + 1 :] == 0).all()


def test_without_the_mask_it_would() -> None:
    assert (gradient_by_position(net(), None, 3) > 1e-4).all()


def test_the_encoder_looks_both_ways() -> None:
    model, src = net(), some_ids(1, 6, SRC)
    other = src.clone()
    other[0, 3] = (src[0, 3] - 2) % (SRC - 3) + 3
    assert ((model.encode(src)[0] - model.encode(other)[0]).abs().amax(-1) > 1e-4).all()


@settings(max_examples=12)
@given(s=st.integers(1, 5), t=st.integers(1, 5), more_s=st.integers(0, 4), more_t=st.integers(0, 4), pre=st.booleans())
def test_padding_a_batch_changes_nothing(s: int, t: int, more_s: int, more_t: int, pre: bool) -> None:
    model, src, tgt = net(pre), some_ids(1, s, SRC), some_ids(1, t, TGT)
    wide_src = torch.cat([F.pad(src, (0, more_s)), some_ids(2, s + more_s, SRC, seed=1)])
    wide_tgt = torch.cat([F.pad(tgt, (0, more_t)), some_ids(2, t + more_t, TGT, seed=1)])
    torch.testing.assert_close(model(wide_src, wide_tgt)[:1, :t], model(src, tgt), rtol=1e-10, atol=1e-10)


def test_padding_that_is_not_masked_changes_much() -> None:
    src, tgt = some_ids(1, 5, SRC), some_ids(1, 4, TGT)
    forgetful = net(pad_id=1)  # takes the zeros for words
    assert (forgetful(F.pad(src, (0, 3)), tgt) - forgetful(src, tgt)).abs().max() > 1e-2


def test_what_stands_under_the_padding_mask_does_not_matter() -> None:
    model, src, tgt = net(), F.pad(some_ids(2, 5, SRC), (0, 3)), some_ids(2, 4, TGT)
    memory, mask = model.encode(src)
    noisy = torch.where(mask[:, 0, 0, :, None], memory, 1000 * torch.randn_like(memory))
    torch.testing.assert_close(model.decode(tgt, noisy, mask), model.decode(tgt, memory, mask), rtol=1e-10, atol=1e-10)


def test_padding_gets_no_gradient() -> None:
    model, src, tgt = net(), F.pad(some_ids(2, 5, SRC), (0, 3)), some_ids(2, 4, TGT)
    model(src, tgt).sum().backward()
    moved = model.encoder.embedding.weight.grad.abs().amax(-1)
    assert moved[0] == 0
    assert (moved[src[:, :5]] > 0).all()
