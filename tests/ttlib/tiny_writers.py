"""Decoder-only models whose texts differ: every test of generation runs on each of them."""

from collections.abc import Callable

import torch
from torch import nn

from tests.ttlib.torch_twins import randomise
from ttlib.models.decoder_only import DecoderOnly
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.models.llama import Llama, LlamaConfig
from ttlib.nn.dropout import Dropout

V, POSITIONS = 30, 24


def talking(model: DecoderOnly, seed: int = 0) -> DecoderOnly:
    """Random weights in float64, in training mode with much dropout: whoever generates must switch that off."""
    randomise(model, seed)
    if hasattr(model.norm, "bias"):  # one direction for all states: every text would repeat one word
        nn.init.zeros_(model.norm.bias)
    with torch.no_grad():
        model.tokens.weight.copy_(2 * nn.functional.normalize(model.tokens.weight))  # else the longest rows always win
        for block in model.blocks:
            for name, value in block.named_parameters():
                value.mul_(0 if name.endswith("bias") else 2)
    for module in model.modules():
        if isinstance(module, Dropout):
            module.p = 0.5
    return model.train()


def gpt(seed: int = 0) -> DecoderOnly:
    config = GPTConfig(vocab_size=V, d_model=32, n_heads=4, d_ff=64, n_layers=2, max_len=POSITIONS)
    return talking(GPT(config), seed)


def llama(seed: int = 0) -> DecoderOnly:
    sizes = {"vocab_size": V, "d_model": 32, "n_heads": 4, "n_kv_heads": 2, "d_ff": 64, "n_layers": 2}
    return talking(Llama(LlamaConfig(**sizes, max_len=POSITIONS)), seed)


# A line for each kind of model.
MODELS: dict[str, Callable[[int], DecoderOnly]] = {"gpt": gpt, "llama": llama}
