"""Attention maps are the weights that the model used, and looking leaves no trace."""

import pytest
import torch
from torch import nn

from tests.ttlib.torch_twins import randomise
from ttlib.errors import InputError
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.maps import attention_maps, share_on
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn.attention import attention_weights
from ttlib.nn.multihead import MultiHeadAttention


def net(pre: bool = True) -> Seq2Seq:
    config = Seq2SeqConfig(
        src_vocab_size=30, tgt_vocab_size=25, d_model=32, n_heads=4, d_ff=48, n_encoder_layers=2,
        n_decoder_layers=3, dropout=0.5, max_len=12, pre_norm=pre,
    )  # fmt: skip
    return randomise(Seq2Seq(config))


def some_ids(batch: int, length: int) -> torch.Tensor:
    return torch.randint(3, 25, (batch, length), generator=torch.Generator().manual_seed(length))


def attentions(model: nn.Module) -> dict[str, MultiHeadAttention]:
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, MultiHeadAttention)}


@pytest.mark.parametrize("pre", [True, False])
def test_maps_equals_recomputation(pre: bool) -> None:
    model, src, tgt = net(pre), some_ids(2, 6), some_ids(2, 5)
    src[1, 4:] = 0
    maps = attention_maps(model, src, tgt)
    seen: dict[str, tuple[torch.Tensor, ...]] = {}
    for name, layer in attentions(model).items():
        layer.forward = spy(seen, name, layer.forward)  # type: ignore[method-assign]
    model.eval()(src, tgt)
    assert maps.keys() == seen.keys()
    for name, layer in attentions(model).items():
        x, memory, mask, out = seen[name]
        q, k, v = (
            w(y).view(2, -1, 4, 8).transpose(1, 2) for w, y in zip(kinds(layer), (x, memory, memory), strict=True)
        )
        torch.testing.assert_close(maps[name], attention_weights(q, k, mask), rtol=1e-10, atol=1e-10)
        heads = maps[name].clone() @ v  # a clone, since maps are made in inference mode
        heads = heads.transpose(1, 2).reshape(2, -1, 32)
        torch.testing.assert_close(layer.w_o(heads), out, rtol=1e-10, atol=1e-10)  # they did make the output


def kinds(layer: MultiHeadAttention) -> tuple[nn.Module, nn.Module, nn.Module]:
    return layer.w_q, layer.w_k, layer.w_v


def spy(seen: dict, name: str, forward):  # type: ignore[no-untyped-def]
    def wrapped(x, memory, mask=None, cache=None):  # type: ignore[no-untyped-def]
        out = forward(x, memory, mask, cache)
        seen[name] = (x, memory, mask, out)
        return out

    return wrapped


def test_maps_mutants_differ() -> None:
    model, src, tgt = net(), some_ids(2, 6), some_ids(2, 5)
    maps = attention_maps(model, src, tgt)
    for changed in (attention_maps(model, src.flip(1), tgt), attention_maps(model, src, tgt.flip(1))):
        assert (
            changed["decoder.blocks.2.cross_attention"] - maps["decoder.blocks.2.cross_attention"]
        ).abs().max() > 1e-2
    layers = [maps[f"encoder.blocks.{i}.self_attention"] for i in range(2)]
    assert (layers[0] - layers[1]).abs().max() > 1e-2
    assert (layers[0][:, 0] - layers[0][:, 1]).abs().max() > 1e-2  # heads differ too


def test_names_shapes_and_masks() -> None:
    src, tgt = some_ids(2, 6), some_ids(2, 5)
    src[1, 4:] = 0
    maps = attention_maps(net(), src, tgt)
    encoder = {f"encoder.blocks.{i}.self_attention": (2, 4, 6, 6) for i in range(2)}
    own = {f"decoder.blocks.{i}.self_attention": (2, 4, 5, 5) for i in range(3)}
    cross = {f"decoder.blocks.{i}.cross_attention": (2, 4, 5, 6) for i in range(3)}
    assert {name: tuple(weights.shape) for name, weights in maps.items()} == encoder | own | cross
    for weights in maps.values():
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1], dtype=torch.float64))
    assert all((maps[name].triu(1) == 0).all() for name in own)
    assert all((maps[name][1, :, :, 4:] == 0).all() for name in encoder | cross)


@pytest.mark.parametrize("training", [True, False])
def test_looking_leaves_no_trace(training: bool) -> None:
    model, src, tgt = net().train(training), some_ids(2, 6), some_ids(2, 5)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, second = attention_maps(model, src, tgt), attention_maps(model, src, tgt)
    assert all(torch.equal(first[name], second[name]) for name in first)  # no dropout while looking
    assert not any(weights.is_inference() for weights in first.values())  # one may compute with them
    assert all(module.training == training for module in model.modules())
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_hooks_go_even_if_the_model_fails() -> None:
    model = net().train()
    with pytest.raises(InputError, match="src: got ids from 99 to 99"):
        attention_maps(model, torch.full((1, 2), 99), some_ids(1, 2))
    assert not any(module._forward_hooks for module in model.modules())
    assert model.training


def test_a_single_layer_and_a_model_without_attention() -> None:
    layer = randomise(MultiHeadAttention(32, 4))
    x = torch.randn(1, 3, 32, dtype=torch.float64)
    assert torch.equal(attention_maps(layer, x, x)[""], layer.weights(x, x))
    assert attention_maps(nn.Linear(3, 3), torch.zeros(1, 3)) == {}


def some_heads() -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of 2 layers, 3 sentences, 4 heads, 5 tokens; who is wanted by whom, by some queries nobody."""
    generator = torch.Generator().manual_seed(1)
    heads = torch.randn(2, 3, 4, 5, 5, generator=generator, dtype=torch.float64).softmax(-1)
    return heads, torch.rand(3, 5, 5, generator=generator) < 0.3


def by_hand(heads: torch.Tensor, wanted: torch.Tensor, layer: int, head: int) -> float:
    shares = [
        sum(heads[layer, b, head, t, s].item() for s in range(5) if wanted[b, t, s])
        for b in range(3)
        for t in range(5)
        if any(wanted[b, t])
    ]
    return sum(shares) / len(shares)


def test_share_on_equals_counting_by_hand() -> None:
    heads, wanted = some_heads()
    assert not wanted.any(-1).all(), "a query that wants nobody"
    shares = share_on(heads, wanted)
    for layer in range(2):
        for head in range(4):
            assert shares[layer, head].item() == pytest.approx(by_hand(heads, wanted, layer, head), abs=1e-12)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda h, w: share_on(h.transpose(-1, -2), w),
        lambda h, w: share_on(h, w.transpose(-1, -2)),
        lambda h, w: share_on(h, w.flip(0)),
        lambda h, w: share_on(h, w) * w.any(-1).double().mean(),
        lambda h, w: (h * w[:, None]).sum((1, 3, 4)) / w.sum(),
    ],
)
def test_share_on_mutants_differ(mutant) -> None:  # type: ignore[no-untyped-def]
    heads, wanted = some_heads()
    assert (mutant(heads, wanted) - share_on(heads, wanted)).abs().max() > 1e-2


def test_share_on_nobody() -> None:
    heads, wanted = some_heads()
    torch.testing.assert_close(share_on(heads, torch.ones_like(wanted)), torch.ones(2, 4, dtype=torch.float64))
    with pytest.raises(InputError, match=r"wanted: got \(3, 5, 5\), need a query that wants something"):
        share_on(heads, torch.zeros_like(wanted))
