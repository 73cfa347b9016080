"""The position-wise feed-forward layer."""

from torch import nn

from ttlib.shapes import Float, Tensor


class FeedForward(nn.Module):
    """FFN(x) = max(0, x W_1 + b_1) W_2 + b_2 for each position alone (Vaswani et al. 2017, §3.3, eq. 2)."""

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.w_1 = nn.Linear(d_model, d_ff)
        self.w_2 = nn.Linear(d_ff, d_model)

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Widen to d_ff, keep what is positive, come back to d_model."""
        return self.w_2(self.w_1(x).relu())


class GeluFeedForward(FeedForward):
    """FFN(x) = gelu(x W_1 + b_1) W_2 + b_2, gelu(z) = z · Φ(z), as in BERT (Hendrycks & Gimpel 2016, §2; exact)."""

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Widen to d_ff, damp what is negative, come back to d_model."""
        return self.w_2(nn.functional.gelu(self.w_1(x)))


class TanhGeluFeedForward(FeedForward):
    """The same with GELU's approximation by tanh, as in GPT-2 (Hendrycks & Gimpel 2016, §2).

    gelu(z) ≈ z/2 · (1 + tanh(√(2/π) · (z + 0.044715 z³))), off by less than 0.0005.
    """

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Widen to d_ff, damp what is negative, come back to d_model."""
        return self.w_2(nn.functional.gelu(self.w_1(x), approximate="tanh"))
