"""Llama: GPT with what has changed since. Norm, feed-forward, positions and attention, each swapped for another."""

from dataclasses import dataclass
from functools import partial

from torch import nn

from ttlib.errors import require
from ttlib.models.config import DecoderSizes, check_sizes
from ttlib.models.decoder_only import DecoderOnly, NoPositions
from ttlib.nn.feedforward import SwiGLU
from ttlib.nn.grouped import GroupedAttention
from ttlib.nn.norms import RMSNorm
from ttlib.nn.rope import RotaryPositions, rotate_halves
from ttlib.shapes import Float, Tensor


@dataclass(frozen=True, kw_only=True)
class LlamaConfig(DecoderSizes):
    """The sizes of a Llama; the defaults are those of SmolLM2-135M (Allal et al. 2025).

    Raises:
        InputError: a size is not positive, d_model is not divisible by n_heads, n_heads not by n_kv_heads, or a head
            has an odd width.
    """

    vocab_size: int = 49152
    d_model: int = 576
    n_heads: int = 9
    n_kv_heads: int = 3
    d_ff: int = 1536
    n_layers: int = 30
    dropout: float = 0.0
    max_len: int = 8192
    eps: float = 1e-5
    rope_base: float = 100_000.0
    tied: bool = True

    def __post_init__(self) -> None:
        """Check every size."""
        check_sizes(self, "vocab_size d_model n_heads n_kv_heads d_ff n_layers max_len eps")
        require(self.n_heads % self.n_kv_heads == 0, "n_kv_heads", self.n_kv_heads, f"a divisor of {self.n_heads}")
        require(self.d_head % 2 == 0, "d_head", self.d_head, "an even number: numbers are turned in pairs")
        require(self.rope_base > 1, "rope_base", self.rope_base, "a number above 1")


class Llama(DecoderOnly):
    """RMSNorm, SwiGLU, rotary positions (in halves), grouped-query attention, no bias (Touvron et al. 2023, §2.2).

    Grouped queries came with the second version (Touvron et al. 2023b, §2.2). ``tied`` says whether the table of
    embeddings is also the output projection: small models do so, large ones have a second table.
    """

    config: LlamaConfig

    def __init__(self, config: LlamaConfig) -> None:
        rope = RotaryPositions(config.d_head, config.rope_base, rotate_halves)
        attention = partial(GroupedAttention, n_kv_heads=config.n_kv_heads, positions=rope)
        super().__init__(config, RMSNorm, SwiGLU, attention, NoPositions)
        self.head: nn.Linear | None = None
        if not config.tied:
            self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
            nn.init.normal_(self.head.weight, std=0.02)

    @property
    def output_weight(self) -> Float[Tensor, "V D"]:
        """The table that scores the next token: the embedding's, or one of its own."""
        return self.tokens.weight if self.head is None else self.head.weight
