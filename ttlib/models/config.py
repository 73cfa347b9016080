"""The sizes of a model, checked when they are written down."""

from dataclasses import asdict, dataclass
from typing import Any

from ttlib.errors import require


@dataclass(frozen=True, kw_only=True)
class Seq2SeqConfig:
    """An encoder–decoder transformer (Vaswani et al. 2017, table 3 has the paper's own sizes).

    Raises:
        InputError: a size is not positive, or d_model is not divisible by n_heads.
    """

    src_vocab_size: int
    tgt_vocab_size: int
    d_model: int = 256
    n_heads: int = 4
    d_ff: int = 1024
    n_encoder_layers: int = 3
    n_decoder_layers: int = 3
    dropout: float = 0.1
    max_len: int = 256
    pre_norm: bool = True
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def __post_init__(self) -> None:
        """Check every size."""
        sizes = "src_vocab_size tgt_vocab_size d_model n_heads d_ff n_encoder_layers n_decoder_layers max_len"
        for name in sizes.split():
            require(getattr(self, name) > 0, name, getattr(self, name), "a positive number")
        require(self.d_model % self.n_heads == 0, "n_heads", self.n_heads, f"a divisor of d_model={self.d_model}")
        require(0 <= self.dropout < 1, "dropout", self.dropout, "a probability below 1")

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.d_model // self.n_heads

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
