"""BERT: an encoder with learned positions, segments and GELU, and the two heads that it is pretrained with."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from ttlib.errors import require
from ttlib.models.config import Sizes, check_sizes
from ttlib.models.embedding import check_ids
from ttlib.models.heads import FirstTokenHead, MaskedTokenHead
from ttlib.nn import masks
from ttlib.nn.blocks import EncoderBlock, PostNorm
from ttlib.nn.dropout import Dropout
from ttlib.nn.feedforward import GeluFeedForward
from ttlib.nn.norms import LayerNorm
from ttlib.nn.positions import LearnedPositions, sinusoids
from ttlib.shapes import Bool, Float, Int, Tensor


@dataclass(frozen=True, kw_only=True)
class BertConfig(Sizes):
    """The sizes of a BERT; the defaults are BERT-base's (Devlin et al. 2018, §3).

    Raises:
        InputError: a size is not positive, or d_model is not divisible by n_heads.
    """

    vocab_size: int = 30522
    d_model: int = 768
    n_heads: int = 12
    d_ff: int = 3072
    n_layers: int = 12
    dropout: float = 0.1
    max_len: int = 512
    n_segments: int = 2
    eps: float = 1e-12
    pad_id: int = 0

    def __post_init__(self) -> None:
        """Check every size."""
        check_sizes(self, "vocab_size d_model n_heads d_ff n_layers max_len n_segments eps")
        require(0 <= self.pad_id < self.vocab_size, "pad_id", self.pad_id, f"an id below {self.vocab_size}")


class BertEmbedding(nn.Module):
    """LayerNorm(token + segment + position): three tables, all learned (Devlin et al. 2018, figure 2)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        c = config
        self.tokens = nn.Embedding(c.vocab_size, c.d_model)
        self.segments = nn.Embedding(c.n_segments, c.d_model)
        self.positions = LearnedPositions(c.max_len, c.d_model)
        self.norm = LayerNorm(c.d_model, c.eps)
        self.dropout = Dropout(c.dropout)
        for table in (self.tokens.weight, self.segments.weight, self.positions.table):
            nn.init.normal_(table, std=0.02)

    def forward(self, ids: Int[Tensor, "B T"], segments: Int[Tensor, "B T"] | None = None) -> Float[Tensor, "B T D"]:
        """Without ``segments``, every token belongs to the first.

        Raises:
            InputError: an id is outside its table, or there are more than max_len tokens.
        """
        check_ids(ids, self.tokens.num_embeddings, "ids")
        segments = ids.new_zeros(ids.shape) if segments is None else segments
        check_ids(segments, self.segments.num_embeddings, "segments")
        return self.dropout(self.norm(self.positions(self.tokens(ids) + self.segments(segments))))


class BertEncoder(nn.Module):
    """Embeddings, then post-norm blocks with GELU: n vectors for n tokens (Devlin et al. 2018, §3; no head on top).

    Unlike the original, dropout does not act on the attention weights: a difference in training only.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        c = config
        self.config = config
        self.embedding = BertEmbedding(c)
        residual = partial(PostNorm, eps=c.eps)
        self.blocks = nn.ModuleList(
            EncoderBlock(c.d_model, c.n_heads, c.d_ff, c.dropout, residual, GeluFeedForward) for _ in range(c.n_layers)
        )

    def forward(
        self,
        ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "..."] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Contextual vectors; ``mask`` (`ttlib.nn.masks.padding` makes it) broadcasts to (B, H, T, T)."""
        return self.hidden_states(ids, mask, segments)[-1]

    def hidden_states(
        self,
        ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "..."] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> list[Float[Tensor, "B T D"]]:
        """What the embedding gives, then what each block gives: n_layers + 1 tensors."""
        states = [self.embedding(ids, segments)]
        for block in self.blocks:
            states.append(block(states[-1], mask))
        return states


class BertMaskedLM(nn.Module):
    """The encoder with a head that says, for every place, which token should stand there.

    All matrices begin with standard deviation 0.02 and all biases with zero, as in the original's code.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = BertEncoder(config)
        self.mlm = MaskedTokenHead(config.d_model, config.vocab_size, config.eps)
        init_linear(self)

    def forward(
        self,
        ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "..."] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T V"]:
        """Scores of every token at every place. Without ``mask``, padding is hidden and all the rest is seen."""
        return self.token_logits(self.states(ids, mask, segments))

    def states(
        self,
        ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "..."] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """The encoder's last states, from which the heads read."""
        mask = masks.padding(ids, self.config.pad_id) if mask is None else mask
        return self.encoder(ids, mask, segments)

    def token_logits(self, states: Float[Tensor, "... D"]) -> Float[Tensor, "... V"]:
        """What the head for masked tokens says of some states; training passes those of the selected places only."""
        return self.mlm(states, self.encoder.embedding.tokens.weight)


class BertPretraining(BertMaskedLM):
    """The same with a second head, on the first token, [CLS]: whether sentence B follows sentence A.

    Its two scores are in the original's order: 0 = B follows, 1 = it does not (Devlin et al. 2018, §3.1, task 2).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.nsp = FirstTokenHead(config.d_model, 2)
        init_linear(self.nsp)

    def both(
        self,
        ids: Int[Tensor, "B T"],
        mask: Bool[Tensor, "..."] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
    ) -> tuple[Float[Tensor, "B T V"], Float[Tensor, "B 2"]]:
        """Scores of every token at every place, and of "follows" against "does not"."""
        states = self.states(ids, mask, segments)
        return self.token_logits(states), self.pair_logits(states)

    def pair_logits(self, states: Float[Tensor, "B T D"]) -> Float[Tensor, "B 2"]:
        """What the second head says of the pairs that these states are of."""
        return self.nsp(states)


def quick_start(model: BertMaskedLM) -> None:
    """Another beginning, for short runs: larger token rows, and positions that begin as sinusoids (then learn).

    With Adam, every number moves by about the learning rate in a step, whatever its size: rows of standard deviation
    0.02 are overrun by the rates that short runs need.
    """
    embedding = model.encoder.embedding
    table = embedding.positions.table
    with torch.no_grad():
        nn.init.normal_(embedding.tokens.weight, std=0.05)
        table.copy_(0.07 * sinusoids(*table.shape))


def init_linear(model: nn.Module) -> None:
    """Normal numbers of standard deviation 0.02 in every linear layer, biases of zero."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
