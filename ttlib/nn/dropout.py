"""Dropout, and a quicker way to draw its mask on a CPU."""

import torch
from torch import nn
from torch.nn import functional as F

from ttlib.errors import require
from ttlib.shapes import Float, Tensor


class Dropout(nn.Module):
    """Zero each number with probability p while training, divide the rest by 1 − p (Srivastava et al. 2014).

    On the CPU, torch draws one number after another; here four come out of each 64-bit random number,
    which is about three times as fast (``benchmarks/dropout.py`` measures it). p is then exact to 1/65,536.

    Raises:
        InputError: p is not a probability below 1.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        require(0 <= p < 1, "p", p, "a probability below 1")
        self.p = p

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Any shape; the same shape comes out."""
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu" or torch.compiler.is_compiling():  # a compiler makes its own quick one
            return F.dropout(x, self.p)
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), 2**63 - 1)
        sixteen = bits.view(torch.int16)[: x.numel()].view(x.shape)  # uniform on −32768 … 32767
        dropped = min(round(self.p * 65536), 65535)  # p just below 1 would round to 1
        keep = sixteen >= dropped - 32768
        return x * (keep * (65536 / (65536 - dropped))).to(x.dtype)
