"""No look into the future, no effect of padding, caches that change nothing, searches that agree."""

import dataclasses
import itertools

import pytest
import torch

from ttlib.generate.beam import beam_search, length_penalty
from ttlib.generate.greedy import greedy
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.maps import attention_maps
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn import masks
from ttlib.nn.attention import attention, attention_weights, fast_attention, fused_attention

CONFIG = Seq2SeqConfig(
    src_vocab_size=30, tgt_vocab_size=25, d_model=32, n_heads=4, d_ff=64, dropout=0.0, max_len=20, pre_norm=True
)


def model(config: Seq2SeqConfig = CONFIG) -> Seq2Seq:
    torch.manual_seed(3)
    made = Seq2Seq(config).double().eval()
    with torch.no_grad():
        for p in made.parameters():
            p.copy_(0.3 * torch.randn_like(p))
    return made


def ids(batch: int, length: int, vocab: int = 25, seed: int = 0) -> torch.Tensor:
    return torch.randint(3, vocab, (batch, length), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("pre", [True, False])
@pytest.mark.parametrize("t", range(5))
def test_a_changed_target_token_leaves_all_before_it_bit_equal(pre: bool, t: int) -> None:
    net = model(dataclasses.replace(CONFIG, pre_norm=pre))
    src, tgt = ids(2, 7, 30), ids(2, 6)
    changed = tgt.clone()
    changed[:, t + 1] = (changed[:, t + 1] - 3 + 1) % 22 + 3
    a, b = net(src, tgt), net(src, changed)
    assert torch.equal(a[:, : t + 1], b[:, : t + 1])
    assert not torch.equal(a[:, t + 1], b[:, t + 1])


def test_no_gradient_comes_from_later_tokens() -> None:
    net = model()
    src, tgt = ids(1, 7, 30), torch.arange(3, 9)[None]  # six different tokens: a row of the table each
    (net.states(src, tgt)[0, 2].sum()).backward()
    moved = net.output_weight.grad.abs().sum(1)[tgt[0]]
    assert (moved[:3] > 0).all()
    assert (moved[3:] == 0).all()


def test_the_encoder_does_look_ahead() -> None:
    net = model()
    src = ids(1, 7, 30)
    changed = src.clone()
    changed[0, 6] = (src[0, 6] - 2) % 27 + 3
    a, b = net.encode(src)[0], net.encode(changed)[0]
    assert (a[0, 0] - b[0, 0]).abs().max() > 1e-4


def test_padding_a_batch_changes_nothing() -> None:
    net = model()
    src, tgt = ids(1, 5, 30), ids(1, 4)
    padded_src = torch.cat([torch.nn.functional.pad(src, (0, 4)), ids(1, 9, 30, seed=1)])
    padded_tgt = torch.cat([torch.nn.functional.pad(tgt, (0, 3)), ids(1, 7, seed=1)])
    alone, together = net(src, tgt)[0], net(padded_src, padded_tgt)[0, :4]
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-10)
    forgetful = model(dataclasses.replace(CONFIG, pad_id=24))  # takes the zeros for words
    assert (forgetful(padded_src, padded_tgt)[0, :4] - alone).abs().max() > 1e-3


@pytest.mark.parametrize("first", [1, 3, 7])
def test_cached_states_are_the_uncached_ones(first: int) -> None:
    net = model()
    src, tgt = ids(2, 6, 30), ids(2, 7)
    memory, mask = net.encode(src)
    whole = net.decode(tgt, memory, mask)
    caches = net.decoder.new_caches()
    parts = [net.decode(tgt[:, :first], memory, mask, caches)]
    parts += [net.decode(tgt[:, t : t + 1], memory, mask, caches) for t in range(first, 7)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-10, atol=1e-10)
    assert len(caches[0].self_attention) == 7


def test_torchs_own_causal_flag_would_be_wrong_with_a_cache() -> None:
    q, k = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 5, 8)
    ours = fused_attention(q, k, k, masks.causal(1, 5))
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, k, is_causal=True)
    assert torch.allclose(theirs, k[:, :, :1])  # it sees the first key alone
    assert not torch.allclose(ours, theirs)


def test_greedy_takes_the_likeliest_token_of_an_uncached_model() -> None:
    net = model()
    src = ids(4, 6, 30)
    src[2, 4:] = 0
    net.decoder.norm.bias.data += 0.3 * net.output_weight[CONFIG.eos_id]  # so that some sentences end early
    found = greedy(net, src, 10)
    for row in range(4):
        tgt = torch.tensor([[CONFIG.bos_id]])
        for token in [*found[row], CONFIG.eos_id][:10]:
            best = net(src[row : row + 1][:, src[row] != 0], tgt)[0, -1].argmax()
            assert best == token
            tgt = torch.cat([tgt, best.view(1, 1)], 1)
    assert len({len(row) for row in found}) > 1  # some ended before others


def test_beam_of_one_is_greedy() -> None:
    net = model()
    src = ids(5, 6, 30)
    assert beam_search(net, src, 10, beam=1) == greedy(net, src, 10)


def test_beam_search_finds_the_best_of_all_sentences() -> None:
    config = Seq2SeqConfig(src_vocab_size=9, tgt_vocab_size=5, d_model=32, n_heads=4, d_ff=32, dropout=0.0, max_len=9)
    net = model(config)
    for seed in range(4):
        src = ids(1, 4, 9, seed=seed)

        def logp(sentence: tuple[int, ...], source: torch.Tensor = src) -> float:
            tgt = torch.tensor([[1, *sentence]])
            steps = net(source, tgt[:, :-1]).log_softmax(-1)[0]
            return sum(steps[i, token].item() for i, token in enumerate(sentence))

        ended = [(*s, 2) for n in range(3) for s in itertools.product([0, 1, 3, 4], repeat=n)]
        cut = list(itertools.product([0, 1, 3, 4], repeat=3))
        best = max(ended + cut, key=lambda s: logp(s) / length_penalty(len(s), 0.0))
        (found,) = beam_search(net, src, 3, beam=128, alpha=0.0)
        assert found == [token for token in best if token != 2]


def test_length_penalty_is_the_papers() -> None:
    assert length_penalty(1, 0.6) == 1
    assert length_penalty(7, 1.0) == 2
    assert length_penalty(19, 0.5) == 2


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    net = model()
    src = ids(3, 6, 30)
    src[1, 4:] = 0
    for search in (greedy, beam_search):
        together = search(net, src, 8)
        assert [search(net, src[i : i + 1], 8)[0] for i in range(3)] == together


def test_maps_are_the_weights_that_make_the_output() -> None:
    net = model()
    src, tgt = ids(2, 6, 30), ids(2, 5)
    maps = attention_maps(net, src, tgt)
    assert len(maps) == 9
    assert maps["decoder.blocks.0.cross_attention"].shape == (2, 4, 5, 6)
    for weights in maps.values():
        torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights.sum(-1)))
    own = maps["decoder.blocks.1.self_attention"]
    assert (own.triu(1) == 0).all()
    block = net.encoder.blocks[0]
    layer = block.self_attention
    with torch.inference_mode():
        y = block.residual_1.norm(net.encoder.positions(net.encoder.embedding(src)))
        heads = maps["encoder.blocks.0.self_attention"] @ layer.split_heads(layer.w_v(y))
        torch.testing.assert_close(layer.w_o(heads.transpose(1, 2).flatten(2)), layer(y, y))
    assert not any(layer._forward_hooks for layer in net.modules())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_all_forms_of_attention_agree_and_a_row_without_keys_is_zero(dtype: torch.dtype) -> None:
    q, k, v = (torch.randn(2, 4, 5, 8, dtype=dtype).requires_grad_() for _ in range(3))
    mask = torch.rand(2, 1, 5, 5) < 0.6
    mask[:, :, 0] = True
    mask[1, 0, 3] = False  # nothing to attend to
    tolerance = {torch.float64: 1e-10, torch.float32: 1e-5, torch.bfloat16: 5e-2}[dtype]
    results = []
    for form in (
        lambda: attention(q, k, v, mask)[0],
        lambda: fused_attention(q, k, v, mask),
        lambda: fast_attention(q, k, v, mask),
    ):
        out = form()
        results.append([out, *torch.autograd.grad(out.float().square().sum(), (q, k, v))])
        assert (out[1, :, 3] == 0).all()
        assert all(x.isfinite().all() for x in results[-1])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)
    unscaled = attention(q * 8**0.5, k, v, mask)[0]
    assert (unscaled - results[0][0]).abs().max() > 10 * tolerance


def test_attention_gradients() -> None:
    q, k, v = (torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(3))
    mask = masks.causal(3)
    assert torch.autograd.gradcheck(lambda *x: attention(*x, mask)[0], (q, k, v))


def test_attention_by_hand() -> None:
    # One query [2, 0], keys [2, 0] and [0, 0], d = 2... scores 4/√2 and 0: weights e^2.828 / (e^2.828 + 1) = 0.9442
    q, k = torch.tensor([[[[2.0, 0.0]]]]), torch.tensor([[[[2.0, 0.0], [0.0, 0.0]]]])
    weights = attention_weights(q, k)
    assert weights[0, 0, 0].tolist() == pytest.approx([0.94419, 0.05581], abs=1e-5)


def test_masks() -> None:
    assert masks.causal(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert masks.causal(2, 4).tolist() == [[True, True, True, False], [True, True, True, True]]
    pad = masks.padding(torch.tensor([[5, 6, 0], [7, 0, 0]]), 0)
    assert pad.shape == (2, 1, 1, 3)
    both = masks.causal(3) & pad
    assert both.shape == (2, 1, 3, 3)
    assert both[1, 0].tolist() == [[True, False, False]] * 3
