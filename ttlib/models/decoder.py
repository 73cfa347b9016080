"""The decoder: N blocks that look back at the target and across at the source."""

from torch import nn

from ttlib.models.config import Seq2SeqConfig
from ttlib.models.embedding import TokenEmbedding
from ttlib.nn.blocks import BlockCache, DecoderBlock, PostNorm, PreNorm
from ttlib.nn.dropout import Dropout
from ttlib.nn.norms import LayerNorm
from ttlib.nn.positions import SinusoidalPositions
from ttlib.shapes import Bool, Float, Int, Tensor


class Decoder(nn.Module):
    """Embedding + positions, then N decoder blocks (Vaswani et al. 2017, figure 1, right)."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        c, residual = config, PreNorm if config.pre_norm else PostNorm
        self.embedding = TokenEmbedding(c.tgt_vocab_size, c.d_model)
        self.positions = SinusoidalPositions(c.max_len, c.d_model)
        self.dropout = Dropout(c.dropout)
        self.blocks = nn.ModuleList(
            DecoderBlock(c.d_model, c.n_heads, c.d_ff, c.dropout, residual) for _ in range(c.n_decoder_layers)
        )
        self.norm = LayerNorm(c.d_model) if c.pre_norm else nn.Identity()

    def forward(
        self,
        tgt: Int[Tensor, "B T"],
        memory: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
        caches: list[BlockCache] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """States from which the next tokens are read. With caches, ``tgt`` holds only the new tokens."""
        start = len(caches[0].self_attention) if caches else 0
        x = self.dropout(self.positions(self.embedding(tgt), start))
        for i, block in enumerate(self.blocks):
            x = block(x, memory, mask, memory_mask, caches[i] if caches else None)
        return self.norm(x)

    def new_caches(self) -> list[BlockCache]:
        """Empty caches, one per block."""
        return [BlockCache() for _ in self.blocks]
