"""What all decoder-only models share: GPT, Llama and what lies between them."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from ttlib.models.config import DecoderSizes
from ttlib.models.embedding import check_ids
from ttlib.models.init import init_gpt2
from ttlib.nn import masks
from ttlib.nn.blocks import AttentionMaker, EncoderBlock, FeedForwardMaker, NormMaker, PreNorm
from ttlib.nn.cache import GrowingCache
from ttlib.nn.dropout import Dropout
from ttlib.shapes import Bool, Float, Int, Tensor


class NoPositions(nn.Module):
    """Adds nothing: positions act inside attention (`ttlib.nn.rope`), or nowhere."""

    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()

    def forward(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        """What goes in."""
        return x


class DecoderOnly(nn.Module):
    """Embedding, pre-norm blocks under a causal mask, a last norm, and the embedding's own table as output projection.

    Radford et al. 2018 and 2019. The four makers are where such models differ, each a class or a
    `functools.partial`: ``norm(d_model, eps)``, ``feed_forward(d_model, d_ff)``, ``attention(d_model, n_heads)`` and
    ``positions(max_len, d_model)``. `ttlib.models.gpt.GPT` is one choice of them.
    """

    def __init__(
        self,
        config: DecoderSizes,
        norm: NormMaker,
        feed_forward: FeedForwardMaker,
        attention: AttentionMaker,
        positions: Callable[[int, int], nn.Module],
    ) -> None:
        super().__init__()
        self.config = c = config
        self.tokens = nn.Embedding(c.vocab_size, c.d_model)
        self.positions = positions(c.max_len, c.d_model)
        self.dropout = Dropout(c.dropout)
        residual = partial(PreNorm, eps=c.eps, norm=norm)
        self.blocks = nn.ModuleList(
            EncoderBlock(c.d_model, c.n_heads, c.d_ff, c.dropout, residual, feed_forward, attention)
            for _ in range(c.n_layers)
        )
        self.norm = norm(c.d_model, c.eps)
        init_gpt2(self, c.n_layers)

    def forward(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits of the token after each token.

        Raises:
            InputError: ids outside the vocabulary, an empty batch, or a sequence beyond max_len.
        """
        return self.logits(self.states(ids))

    def states(self, ids: Int[Tensor, "B T"], caches: list[GrowingCache] | None = None) -> Float[Tensor, "B T D"]:
        """States from which `logits` reads the next token. With caches, ``ids`` holds only the new tokens."""
        check_ids(ids, self.config.vocab_size, "ids")
        seen = len(caches[0]) if caches else 0
        x = self.dropout(self.positions(self.tokens(ids), seen))
        mask = causal_mask(ids.size(1), seen, ids.device)
        for i, block in enumerate(self.blocks):
            x = block(x, mask, caches[i] if caches else None)
        return self.norm(x)

    def logits(self, states: Float[Tensor, "... D"]) -> Float[Tensor, "... V"]:
        """Scores of every token of the vocabulary: states times the embedding table."""
        return nn.functional.linear(states, self.output_weight)

    @property
    def output_weight(self) -> Float[Tensor, "V D"]:
        """The table that embeds tokens and also scores them (Press & Wolf 2016)."""
        return self.tokens.weight

    def new_caches(self) -> list[GrowingCache]:
        """Empty caches, one per block."""
        return [GrowingCache() for _ in self.blocks]


def causal_mask(n_new: int, seen: int, device: torch.device) -> Bool[Tensor, "T S"] | None:
    """Who sees whom, for new tokens after ``seen`` earlier ones. The newest token sees all: alone, it needs no mask."""
    return None if n_new == 1 else masks.causal(n_new, seen + n_new, device)
