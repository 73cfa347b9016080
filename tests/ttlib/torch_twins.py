"""Our weights in torch's modules, and weights that are large enough to show mistakes."""

import torch
from torch import nn

from ttlib.nn.blocks import DecoderBlock, EncoderBlock
from ttlib.nn.multihead import MultiHeadAttention


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
