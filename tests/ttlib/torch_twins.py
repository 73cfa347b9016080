"""Our weights in torch's modules, and weights that are large enough to show mistakes."""

from collections.abc import Iterator

import torch
from torch import nn

from ttlib.models.decoder import Decoder
from ttlib.models.encoder import Encoder
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn.blocks import DecoderBlock, EncoderBlock
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.norms import LayerNorm


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Weights of standard deviation 0.3: with small ones every softmax is flat and errors hide."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(0.3 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return module.double()


def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    layers = (ours.w_q, ours.w_k, ours.w_v)
    theirs.in_proj_weight.data = torch.cat([layer.weight.data for layer in layers])
    theirs.in_proj_bias.data = torch.cat([layer.bias.data for layer in layers])
    copy_layer(ours.w_o, theirs.out_proj)


def copy_layer(ours: nn.Module, theirs: nn.Module) -> None:
    theirs.weight.data = ours.weight.data.clone()
    theirs.bias.data = ours.bias.data.clone()


def copy_block(ours: EncoderBlock | DecoderBlock, theirs: nn.Module) -> None:
    copy_attention(ours.self_attention, theirs.self_attn)
    if isinstance(ours, DecoderBlock):
        copy_attention(ours.cross_attention, theirs.multihead_attn)
        copy_layer(ours.residual_3.norm, theirs.norm3)
    copy_layer(ours.feed_forward.w_1, theirs.linear1)
    copy_layer(ours.feed_forward.w_2, theirs.linear2)
    copy_layer(ours.residual_1.norm, theirs.norm1)
    copy_layer(ours.residual_2.norm, theirs.norm2)


def grads(output: torch.Tensor, inputs: list[torch.Tensor], seed: int = 1) -> list[torch.Tensor]:
    """Gradients of a fixed random projection of the output."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(output.shape, generator=generator, dtype=output.dtype)
    return list(torch.autograd.grad((output * weight).sum(), inputs, allow_unused=True, retain_graph=True))


def shared_parameters(ours: nn.Module, theirs: nn.Module) -> Iterator[tuple[list[nn.Parameter], nn.Parameter]]:
    """Which of our parameters, put under one another, are which one of torch's."""
    if isinstance(ours, MultiHeadAttention):
        for kind in ("weight", "bias"):
            yield [getattr(layer, kind) for layer in (ours.w_q, ours.w_k, ours.w_v)], getattr(theirs, f"in_proj_{kind}")
        yield from shared_parameters(ours.w_o, theirs.out_proj)
    elif isinstance(ours, (nn.Linear, LayerNorm)):
        yield [ours.weight], theirs.weight
        yield [ours.bias], theirs.bias
    else:
        for mine, other in twin_parts(ours, theirs):
            yield from shared_parameters(mine, other)


def twin_parts(ours: nn.Module, theirs: nn.Module) -> Iterator[tuple[nn.Module, nn.Module]]:
    """The parts of a block, a stack or a whole model, beside torch's. Torch's models begin after the embedding."""
    if isinstance(ours, Seq2Seq):
        yield from ((ours.encoder, theirs.encoder), (ours.decoder, theirs.decoder))
    elif isinstance(ours, (Encoder, Decoder)):
        yield from zip(ours.blocks, theirs.layers, strict=True)
        if theirs.norm is not None:
            yield ours.norm, theirs.norm
    else:
        yield ours.self_attention, theirs.self_attn
        if isinstance(ours, DecoderBlock):
            yield from ((ours.cross_attention, theirs.multihead_attn), (ours.residual_3.norm, theirs.norm3))
        yield from ((ours.feed_forward.w_1, theirs.linear1), (ours.feed_forward.w_2, theirs.linear2))
        yield from ((ours.residual_1.norm, theirs.norm1), (ours.residual_2.norm, theirs.norm2))


def copy_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """Our weights into torch's module; both must have the same number of them."""
    with torch.no_grad():
        for mine, other in shared_parameters(ours, theirs):
            other.copy_(torch.cat(mine))


def double_tensor(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normal numbers in float64 that want a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def open_mask(t: int, s: int, kind: str) -> torch.Tensor | None:
    """None, causal, or random; every query has at least one key, since torch's own modules give NaN otherwise."""
    if kind == "none":
        return None
    if kind == "causal":
        return torch.ones(t, s, dtype=torch.bool).tril(max(0, s - t))
    mask = torch.rand(t, s, generator=torch.Generator().manual_seed(t * 7 + s)) < 0.6
    mask[:, 0] = True
    return mask


def hide(mask: torch.Tensor | None) -> torch.Tensor | None:
    """The same mask for torch's modules, whose True means hidden."""
    return None if mask is None else ~mask


def assert_same_function(
    ours: nn.Module, theirs: nn.Module, outputs: tuple[torch.Tensor, torch.Tensor], inputs: list[torch.Tensor]
) -> None:
    """Outputs, and the gradients of ``inputs`` and of every parameter that torch's module has, to 1e-10."""
    a, b = outputs
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    twins = list(shared_parameters(ours, theirs))
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for _, p in twins)
    mine = grads(a, [*inputs, *(p for parts, _ in twins for p in parts)])
    other = grads(b, [*inputs, *(p for _, p in twins)])
    for x, y in zip(mine[: len(inputs)], other, strict=False):
        torch.testing.assert_close(x, y, rtol=1e-10, atol=1e-10)
    rest = iter(mine[len(inputs) :])
    for (parts, _), y in zip(twins, other[len(inputs) :], strict=True):
        torch.testing.assert_close(torch.cat([next(rest) for _ in parts]), y, rtol=1e-10, atol=1e-10)
