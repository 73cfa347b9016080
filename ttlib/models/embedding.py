"""The first layer: ids to vectors."""

import math

import torch
from torch import nn

from ttlib.errors import InputError
from ttlib.shapes import Float, Int, Tensor


class TokenEmbedding(nn.Module):
    """Row ``id`` of a (V, D) table, times √D (Vaswani et al. 2017, §3.4).

    The factor makes rows that were drawn with standard deviation 1/√D (so that the same table can
    serve as the output projection) as large as the positions that are added to them.
    """

    def __init__(self, vocab_size: int, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocab_size, d_model) * d_model**-0.5)

    def forward(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Look up; the same as one-hot vectors times the table."""
        return nn.functional.embedding(ids, self.weight) * math.sqrt(self.weight.size(1))


def check_ids(ids: Tensor, vocab_size: int, name: str) -> None:
    """Refuse an empty batch, ids of another type, and ids outside the vocabulary.

    Raises:
        InputError: naming the tensor, what it holds and what it may hold.
    """
    if ids.ndim != 2 or ids.numel() == 0:
        raise InputError(f"{name}: got shape {tuple(ids.shape)}, need (batch, length), neither of them 0")
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise InputError(f"{name}: got dtype {ids.dtype}, need integer ids")
    low, high = (int(x) for x in ids.aminmax())
    if low < 0 or high >= vocab_size:
        raise InputError(f"{name}: got ids from {low} to {high}, need 0 to {vocab_size - 1} (the vocabulary)")
