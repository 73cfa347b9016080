"""Residual connections and the two blocks of the paper (Vaswani et al. 2017, figure 1)."""

from collections.abc import Callable

from torch import nn

from ttlib.nn.cache import FixedCache, GrowingCache
from ttlib.nn.dropout import Dropout
from ttlib.nn.feedforward import FeedForward
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.norms import LayerNorm
from ttlib.shapes import Bool, Float, Tensor

Sublayer = Callable[[Float[Tensor, "B T D"]], Float[Tensor, "B T D"]]
NormMaker = Callable[[int, float], nn.Module]  # (d_model, eps)


class PostNorm(nn.Module):
    """LayerNorm(x + dropout(f(x))): the residual of the paper's text (Vaswani et al. 2017, §3.1 and §5.4)."""

    def __init__(self, d_model: int, dropout: float, eps: float = 1e-5, norm: NormMaker = LayerNorm) -> None:
        super().__init__()
        self.norm = norm(d_model, eps)
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "B T D"], sublayer: Sublayer) -> Float[Tensor, "B T D"]:
        """Add what the sublayer says to x, then normalise."""
        return self.norm(x + self.dropout(sublayer(x)))


class PreNorm(nn.Module):
    """x + dropout(f(LayerNorm(x))): the residual of the paper's code and of GPT-2 (Xiong et al. 2020)."""

    def __init__(self, d_model: int, dropout: float, eps: float = 1e-5, norm: NormMaker = LayerNorm) -> None:
        super().__init__()
        self.norm = norm(d_model, eps)
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "B T D"], sublayer: Sublayer) -> Float[Tensor, "B T D"]:
        """Normalise, then add what the sublayer says to the untouched x."""
        return x + self.dropout(sublayer(self.norm(x)))


# What makes the parts of a block: a class, or a `functools.partial` of one.
Residual = Callable[[int, float], PreNorm | PostNorm]  # (d_model, dropout)
FeedForwardMaker = Callable[[int, int], nn.Module]  # (d_model, d_ff)
AttentionMaker = Callable[[int, int], nn.Module]  # (d_model, n_heads); called with (x, memory, mask, cache)


class EncoderBlock(nn.Module):
    """Self-attention, then feed-forward, each inside a residual connection.

    Under a causal mask it is the block of a decoder-only model: GPT's has no cross-attention either.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        dropout: float,
        residual: Residual = PreNorm,
        feed_forward: FeedForwardMaker = FeedForward,
        attention: AttentionMaker = MultiHeadAttention,
    ) -> None:
        super().__init__()
        self.self_attention = attention(d_model, n_heads)
        self.feed_forward = feed_forward(d_model, d_ff)
        self.residual_1 = residual(d_model, dropout)
        self.residual_2 = residual(d_model, dropout)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        mask: Bool[Tensor, "..."] | None = None,
        cache: GrowingCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        """``mask`` broadcasts to (B, H, T, T); with a cache, x holds only new tokens, and the keys are all so far."""
        x = self.residual_1(x, lambda y: self.self_attention(y, y, mask, cache))
        return self.residual_2(x, self.feed_forward)


class BlockCache:
    """The two caches of one decoder block."""

    def __init__(self) -> None:
        self.self_attention = GrowingCache()
        self.cross_attention = FixedCache()

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order."""
        self.self_attention.select(rows)
        self.cross_attention.select(rows)


class DecoderBlock(nn.Module):
    """Masked self-attention, cross-attention to the encoder's output, feed-forward: three residuals."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float, residual: Residual = PreNorm) -> None:
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.residual_1 = residual(d_model, dropout)
        self.residual_2 = residual(d_model, dropout)
        self.residual_3 = residual(d_model, dropout)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        memory: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
        cache: BlockCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        """``mask`` broadcasts to (B, H, T, T), or to all keys so far with a cache; ``memory_mask`` to (B, H, T, S)."""
        own, cross = (cache.self_attention, cache.cross_attention) if cache else (None, None)
        x = self.residual_1(x, lambda y: self.self_attention(y, y, mask, own))
        x = self.residual_2(x, lambda y: self.cross_attention(y, memory, memory_mask, cross))
        return self.residual_3(x, self.feed_forward)
