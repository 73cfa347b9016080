"""The sizes of a model, checked when they are written down."""

from dataclasses import dataclass
from typing import Any

from ttlib.errors import require


class Sizes:
    """What every configuration of a transformer has. Each class of sizes says more, and checks itself."""

    d_model: int
    n_heads: int
    dropout: float

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.d_model // self.n_heads

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(Sizes):
    """An encoder alone (Vaswani et al. 2017, figure 1, left; Devlin et al. 2018 built BERT on it).

    Raises:
        InputError: a size is not positive, d_model is not divisible by n_heads, or pad_id is outside the vocabulary.
    """

    vocab_size: int
    d_model: int = 256
    n_heads: int = 4
    d_ff: int = 1024
    n_layers: int = 3
    dropout: float = 0.1
    max_len: int = 256
    pre_norm: bool = True
    pad_id: int = 0

    def __post_init__(self) -> None:
        """Check every size."""
        check_sizes(self, "vocab_size d_model n_heads d_ff n_layers max_len")
        check_special(self, "pad_id", self.vocab_size, "vocab_size")


@dataclass(frozen=True, kw_only=True)
class Seq2SeqConfig(Sizes):
    """An encoder–decoder transformer (Vaswani et al. 2017, table 3 has the paper's own sizes).

    Raises:
        InputError: a size is not positive, d_model is not divisible by n_heads, or a special token is outside a
            vocabulary: padding stands in both, bos and eos in the target's, eos also at the end of every source.
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
        check_sizes(self, sizes)
        smaller = min(("src_vocab_size", "tgt_vocab_size"), key=lambda name: getattr(self, name))
        check_special(self, "pad_id", getattr(self, smaller), smaller)
        check_special(self, "bos_id", self.tgt_vocab_size, "tgt_vocab_size")
        check_special(self, "eos_id", getattr(self, smaller), smaller)

    @property
    def encoder(self) -> EncoderConfig:
        """The sizes of its encoder."""
        return EncoderConfig(
            vocab_size=self.src_vocab_size,
            d_model=self.d_model,
            n_heads=self.n_heads,
            d_ff=self.d_ff,
            n_layers=self.n_encoder_layers,
            dropout=self.dropout,
            max_len=self.max_len,
            pre_norm=self.pre_norm,
            pad_id=self.pad_id,
        )


class DecoderSizes(Sizes):
    """What every configuration of a decoder-only model has."""

    vocab_size: int
    d_ff: int
    n_layers: int
    max_len: int
    eps: float


def check_sizes(config: Sizes, names: str) -> None:
    """Refuse sizes that are not positive, heads that do not divide the width, and a dropout that leaves nothing."""
    for name in names.split():
        require(getattr(config, name) > 0, name, getattr(config, name), "a positive number")
    require(config.d_model % config.n_heads == 0, "n_heads", config.n_heads, f"a divisor of d_model={config.d_model}")
    require(0 <= config.dropout < 1, "dropout", config.dropout, "a probability below 1")


def check_special(config: Sizes, name: str, vocab_size: int, vocabulary: str) -> None:
    """Refuse a special token's id that the vocabulary does not have."""
    given = getattr(config, name)
    require(0 <= given < vocab_size, name, given, f"0 to {vocab_size - 1}, an id of {vocabulary}={vocab_size}")
