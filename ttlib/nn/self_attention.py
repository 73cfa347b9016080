"""Self-attention with one head: the lecture's encoder version 2 (the chapter "Self-attention, versions 1–2")."""

from torch import nn

from ttlib.nn.attention import attention, attention_weights
from ttlib.shapes import Bool, Float, Tensor


class SelfAttention(nn.Module):
    """Every token gathers values from all tokens: softmax(q kᵀ / √d_head) v with q = x W_Q, k = x W_K, v = x W_V.

    Vaswani et al. 2017, §3.2.1, eq. 1, with Q, K and V made from the same tokens. One head and no output
    projection; `ttlib.nn.multihead.MultiHeadAttention` has both.
    """

    def __init__(self, d_model: int, d_head: int) -> None:
        super().__init__()
        self.w_q = nn.Linear(d_model, d_head, bias=False)
        self.w_k = nn.Linear(d_model, d_head, bias=False)
        self.w_v = nn.Linear(d_model, d_head, bias=False)

    def forward(self, x: Float[Tensor, "B T D"], mask: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "B T K"]:
        """``mask`` broadcasts to (B, H, T, T) with H = 1."""
        q, k, v = (project(x)[:, None] for project in (self.w_q, self.w_k, self.w_v))  # (B, 1, T, K)
        return attention(q, k, v, mask)[0][:, 0]

    def weights(self, x: Float[Tensor, "B T D"], mask: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "B T T"]:
        """The attention weights that ``forward`` uses."""
        return attention_weights(self.w_q(x)[:, None], self.w_k(x)[:, None], mask)[:, 0]
