"""The encoder: N blocks over embedded tokens."""

from torch import nn

from ttlib.models.config import EncoderConfig
from ttlib.models.embedding import TokenEmbedding
from ttlib.nn.blocks import EncoderBlock, PostNorm, PreNorm
from ttlib.nn.dropout import Dropout
from ttlib.nn.norms import LayerNorm
from ttlib.nn.positions import SinusoidalPositions
from ttlib.shapes import Bool, Float, Int, Tensor


class Encoder(nn.Module):
    """Embedding + positions, then N encoder blocks (Vaswani et al. 2017, figure 1, left).

    n vectors come out for n tokens that go in. With pre-norm a last LayerNorm follows, since the sum
    along the residual path has not been normalised yet.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        c, residual = config, PreNorm if config.pre_norm else PostNorm
        self.embedding = TokenEmbedding(c.vocab_size, c.d_model)
        self.positions = SinusoidalPositions(c.max_len, c.d_model)
        self.dropout = Dropout(c.dropout)
        self.blocks = nn.ModuleList(
            EncoderBlock(c.d_model, c.n_heads, c.d_ff, c.dropout, residual) for _ in range(c.n_layers)
        )
        self.norm = LayerNorm(c.d_model) if c.pre_norm else nn.Identity()

    def forward(self, src: Int[Tensor, "B S"], mask: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "B S D"]:
        """Contextual vectors of the tokens; ``mask`` broadcasts to (B, H, S, S)."""
        x = self.dropout(self.positions(self.embedding(src)))
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x)
