"""The first attention of all: between the two recurrent networks of a translator."""

from torch import nn

from ttlib.nn.attention import masked_softmax
from ttlib.shapes import Bool, Float, Tensor


class AdditiveAttention(nn.Module):
    """score(s, h) = vᵀ tanh(W s + U h), for a decoder's state s and an encoder's state h.

    Bahdanau, Cho & Bengio 2014, §3.1 and appendix A.1.2 (there W_a, U_a and v_a; no bias). The weights are the softmax
    of the scores over the source, and the context is the weighted sum of the encoder's states (eq. 5 and 6).
    """

    def __init__(self, d_decoder: int, d_encoder: int, d_score: int) -> None:
        super().__init__()
        self.w = nn.Linear(d_decoder, d_score, bias=False)
        self.u = nn.Linear(d_encoder, d_score, bias=False)
        self.v = nn.Linear(d_score, 1, bias=False)

    def weights(
        self, s: Float[Tensor, "B T Dd"], h: Float[Tensor, "B S De"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "B T S"]:
        """How much each decoder state takes from each encoder state; ``mask`` (True = may attend) fits (B, T, S).

        A row with nothing to attend to is all zeros.

        Raises:
            InputError: the mask is not boolean or does not fit.
        """
        both = self.w(s)[:, :, None] + self.u(h)[:, None]  # (B, T, S, d_score)
        return masked_softmax(self.v(both.tanh()).squeeze(-1), mask)

    def forward(
        self, s: Float[Tensor, "B T Dd"], h: Float[Tensor, "B S De"], mask: Bool[Tensor, "..."] | None = None
    ) -> tuple[Float[Tensor, "B T De"], Float[Tensor, "B T S"]]:
        """The contexts c_t = Σ_i α_ti h_i, and the weights α."""
        weights = self.weights(s, h, mask)
        return weights @ h, weights
