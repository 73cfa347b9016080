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


class SwiGLU(nn.Module):
    """FFN(x) = (silu(x W_gate) ⊙ x W_1) W_2, silu(z) = z · sigmoid(z), without biases (Shazeer 2020, §2, eq. 6).

    A gate says how much of each neuron passes. There are three matrices instead of two: for the same number of
    parameters take two thirds of the d_ff of the others.
    """

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.w_gate = nn.Linear(d_model, d_ff, bias=False)
        self.w_1 = nn.Linear(d_model, d_ff, bias=False)
        self.w_2 = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Widen to d_ff twice, multiply, come back to d_model."""
        return self.w_2(nn.functional.silu(self.w_gate(x)) * self.w_1(x))
