"""Layer normalisation, and its shorter form RMSNorm."""

import torch
from torch import nn

from ttlib.shapes import Float, Tensor


class LayerNorm(nn.Module):
    """y = weight · (x − mean) / √(variance + eps) + bias, over the features of each token (Ba et al. 2016, §3).

    ``mean`` and ``variance`` (the biased one) belong to one token: neither the batch nor the padding matters.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x: Float[Tensor, "... D"]) -> Float[Tensor, "... D"]:
        """Normalise the last axis. Computed by torch's fused kernel; the formula stands in `layer_norm`."""
        return nn.functional.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


def layer_norm(
    x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], bias: Float[Tensor, " D"], eps: float = 1e-5
) -> Float[Tensor, "... D"]:
    """Ba et al. 2016, §3, eq. 4, written out; equal to `LayerNorm` by test."""
    centred = x - x.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    return weight * centred / (variance + eps).sqrt() + bias


class RMSNorm(nn.Module):
    """y = weight · x / √(mean of x² + eps), over the features of each token (Zhang & Sennrich 2019, eq. 4).

    LayerNorm without the mean and without the bias. The eps under the root is Llama's, for a vector of zeros.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x: Float[Tensor, "... D"]) -> Float[Tensor, "... D"]:
        """Scale the last axis. Computed by torch's kernel; the formula stands in `rms_norm`."""
        return nn.functional.rms_norm(x, self.weight.shape, self.weight, self.eps)


def rms_norm(x: Float[Tensor, "... D"], weight: Float[Tensor, " D"], eps: float = 1e-5) -> Float[Tensor, "... D"]:
    """Zhang & Sennrich 2019, eq. 4, written out; equal to `RMSNorm` by test."""
    mean_square = x.square().mean(-1, keepdim=True)
    return weight * x / (mean_square + eps).sqrt()
