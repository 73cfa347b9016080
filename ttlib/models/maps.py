"""Looking inside: the attention weights of every layer of a running model."""

from typing import Any

import torch
from torch import nn

from ttlib.errors import require
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.runtime import eval_mode
from ttlib.shapes import Float, Tensor


def attention_maps(model: nn.Module, *inputs: Any) -> dict[str, Tensor]:
    """Run ``model(*inputs)`` and return every layer's weights, (B, H, T, S), by the layer's name.

    The weights are computed beside the fused kernel, which never shows them.
    """
    maps: dict[str, Tensor] = {}
    hooks = []

    def record(name: str) -> Any:
        def hook(layer: MultiHeadAttention, args: tuple[Any, ...], output: Tensor) -> None:
            maps[name] = layer.weights(*args)

        return hook

    for name, layer in model.named_modules():
        if isinstance(layer, MultiHeadAttention):
            hooks.append(layer.register_forward_hook(record(name)))
    try:
        with eval_mode(model):
            model(*inputs)
    finally:
        for handle in hooks:
            handle.remove()
    return maps


def all_heads(encoder: nn.Module, *inputs: Any) -> Float[Tensor, "L B H T T"]:
    """Run ``encoder(*inputs)`` and return the weights of all its heads: layers first, then as in `attention_maps`.

    Raises:
        InputError: the model has no attention, or its layers' weights differ in shape (a decoder's cross-attention).
    """
    maps = attention_maps(encoder, *inputs)
    shapes = sorted({tuple(weights.shape) for weights in maps.values()})
    require(len(shapes) == 1, "encoder", shapes, "a model whose layers of attention have weights of one shape")
    return torch.stack(list(maps.values()))
