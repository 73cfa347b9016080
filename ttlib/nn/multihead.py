"""Multi-head attention: several attentions side by side, each in a subspace of its own."""

from torch import nn

from ttlib.errors import require
from ttlib.nn.attention import attention_weights, fast_attention
from ttlib.nn.cache import GrowingCache, KeysValues
from ttlib.nn.positions import AttentionPositions
from ttlib.shapes import Bool, Float, Tensor


class MultiHeadAttention(nn.Module):
    """MultiHead(x, m) = concat(head_1 … head_H) W_O, head_i = attention(x W_Q_i, m W_K_i, m W_V_i).

    Vaswani et al. 2017, §3.2.2. ``x`` asks, ``memory`` answers: the same tensor twice is
    self-attention; the decoder's states and the encoder's output are cross-attention.

    ``positions`` turns queries and keys or adds a bias to the scores, where a model has such positions;
    they belong to self-attention.

    Raises:
        InputError: d_model is not divisible by n_heads.
    """

    def __init__(self, d_model: int, n_heads: int, positions: AttentionPositions | None = None) -> None:
        super().__init__()
        require(n_heads > 0 and d_model % n_heads == 0, "n_heads", n_heads, f"a divisor of d_model={d_model}")
        self.n_heads = n_heads
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)
        self.positions = positions

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        memory: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "..."] | None = None,
        cache: GrowingCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Let every position of ``x`` attend to ``memory``; ``mask`` broadcasts to (B, H, T, S)."""
        q, k, v, bias = self.prepare(x, memory, cache)
        heads = fast_attention(q, k, v, mask, bias)  # (B, H, T, K)
        return self.w_o(heads.transpose(1, 2).flatten(2))

    def weights(
        self,
        x: Float[Tensor, "B T D"],
        memory: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "..."] | None = None,
        cache: GrowingCache | None = None,
    ) -> Float[Tensor, "B H T S"]:
        """The attention weights that ``forward`` uses on the same arguments, to be looked at."""
        q, k, _, bias = self.prepare(x, memory, cache)
        return attention_weights(q, k, mask, bias)

    def prepare(
        self, x: Float[Tensor, "B T D"], memory: Float[Tensor, "B S D"], cache: GrowingCache | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Queries, keys and values by head, and the bias of the scores: all that attention needs.

        Cached keys keep the turn of their own place; the queries stand at the last places.
        """
        seen = 0 if cache is None else len(cache)
        k, v = cache.update(lambda: self.keys_values(memory, seen)) if cache is not None else self.keys_values(memory)
        q = self.split_heads(self.w_q(x))  # (B, H, T, K)
        if self.positions is None:
            return q, k, v, None
        n_queries, n_keys = q.size(2), k.size(2)
        return self.positions.turn(q, n_keys - n_queries), k, v, self.positions.bias(n_queries, n_keys)

    def keys_values(self, memory: Float[Tensor, "B S D"], start: int = 0) -> KeysValues:
        """Keys and values of ``memory``, whose first token stands at ``start``: two tensors (B, H, S, K)."""
        k, v = self.split_heads(self.w_k(memory)), self.split_heads(self.w_v(memory))
        return (k, v) if self.positions is None else (self.positions.turn(k, start), v)

    def split_heads(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B H T K"]:
        """Cut the last axis into heads and put them before the positions."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
