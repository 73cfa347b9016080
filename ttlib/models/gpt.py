"""GPT: a stack of blocks that predicts the next token."""

from dataclasses import dataclass

from ttlib.models.config import DecoderSizes, check_sizes
from ttlib.models.decoder_only import DecoderOnly
from ttlib.nn.feedforward import TanhGeluFeedForward
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.norms import LayerNorm
from ttlib.nn.positions import LearnedPositions


@dataclass(frozen=True, kw_only=True)
class GPTConfig(DecoderSizes):
    """The sizes of a GPT; the defaults are those of the smallest GPT-2 (Radford et al. 2019, table 2).

    Raises:
        InputError: a size is not positive, or d_model is not divisible by n_heads.
    """

    vocab_size: int = 50257
    d_model: int = 768
    n_heads: int = 12
    d_ff: int = 3072
    n_layers: int = 12
    dropout: float = 0.1
    max_len: int = 1024
    eps: float = 1e-5

    def __post_init__(self) -> None:
        """Check every size."""
        check_sizes(self, "vocab_size d_model n_heads d_ff n_layers max_len eps")


class GPT(DecoderOnly):
    """GPT-2: pre-norm with LayerNorm, GELU in its approximation by tanh, learned positions (Radford et al. 2019, §2.3).

    Unlike the original, dropout does not act on the attention weights: a difference in training only.
    """

    config: GPTConfig

    def __init__(self, config: GPTConfig) -> None:
        super().__init__(config, LayerNorm, TanhGeluFeedForward, MultiHeadAttention, LearnedPositions)
