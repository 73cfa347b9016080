"""Grouped-query attention: several heads that ask share one that answers, so that the cache is smaller."""

from torch import nn

from ttlib.errors import require
from ttlib.nn.attention import fused_attention
from ttlib.nn.cache import GrowingCache, KeysValues
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.positions import AttentionPositions
from ttlib.shapes import Bool, Float, Tensor


class GroupedAttention(MultiHeadAttention):
    """H query heads in G groups; all heads of a group use the same keys and values (Ainslie et al. 2023, §2.2).

    G = H is multi-head attention; G = 1 is multi-query attention (Shazeer 2019). A cache holds G heads, not H.
    The four linear layers have no bias, as in Llama.

    Raises:
        InputError: d_model is not divisible by n_heads, or n_heads not by n_kv_heads.
    """

    def __init__(
        self, d_model: int, n_heads: int, n_kv_heads: int, positions: AttentionPositions | None = None
    ) -> None:
        super().__init__(d_model, n_heads, positions)
        divides = n_kv_heads > 0 and n_heads % n_kv_heads == 0
        require(divides, "n_kv_heads", n_kv_heads, f"a divisor of n_heads={n_heads}")
        self.n_kv_heads = n_kv_heads
        d_kv = d_model // n_heads * n_kv_heads
        self.w_q = nn.Linear(d_model, d_model, bias=False)
        self.w_k = nn.Linear(d_model, d_kv, bias=False)
        self.w_v = nn.Linear(d_model, d_kv, bias=False)
        self.w_o = nn.Linear(d_model, d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        memory: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "..."] | None = None,
        cache: GrowingCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Let every position of ``x`` attend to ``memory``; ``mask`` broadcasts to (B, H, T, S)."""
        one_mask_for_all_heads = mask is None or mask.ndim < 3 or mask.size(-3) == 1
        if x.size(1) > 1 or not one_mask_for_all_heads:
            return super().forward(x, memory, mask, cache)
        # One query per head, as in generation: the heads of a group stand where several queries would, and
        # nothing has to be repeated.
        q, k, v, bias = super().prepare(x, memory, cache)
        if bias is not None:
            bias = bias.unflatten(-3, (self.n_kv_heads, -1)).flatten(-3, -2)  # (…, G, H/G, S)
        heads = fused_attention(q.reshape(k.size(0), self.n_kv_heads, -1, k.size(-1)), k, v, mask, bias)
        return self.w_o(heads.reshape(x.shape))

    def prepare(
        self, x: Float[Tensor, "B T D"], memory: Float[Tensor, "B S D"], cache: GrowingCache | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Queries, keys and values for each of the H heads, and the bias of the scores."""
        q, k, v, bias = super().prepare(x, memory, cache)
        n_repeats = self.n_heads // self.n_kv_heads
        return q, k.repeat_interleave(n_repeats, 1), v.repeat_interleave(n_repeats, 1), bias

    def keys_values(self, memory: Float[Tensor, "B S D"], start: int = 0) -> KeysValues:
        """Keys and values of ``memory``, whose first token stands at ``start``: two tensors (B, G, S, K)."""
        k, v = (w(memory).unflatten(-1, (self.n_kv_heads, -1)).transpose(1, 2) for w in (self.w_k, self.w_v))
        return (k, v) if self.positions is None else (self.positions.turn(k, start), v)
