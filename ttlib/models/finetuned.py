"""A pretrained encoder with a new head on it: what is fine-tuned (Devlin et al. 2018, §3.2)."""

from torch import nn

from ttlib.models.bert import BertEncoder, init_linear
from ttlib.models.heads import FirstTokenHead, MeanHead, SpanHead, TokenHead
from ttlib.nn import masks
from ttlib.shapes import Float, Int, Tensor


class BertWithHead(nn.Module):
    """Ids and segments → encoder → head → logits. Padding changes nothing.

    The head begins with small random numbers; the encoder keeps the weights that it comes with, and both are trained.

    Raises:
        InputError: an id is outside its table, or there are more than max_len tokens.
    """

    def __init__(self, encoder: BertEncoder, head: FirstTokenHead | MeanHead | TokenHead | SpanHead) -> None:
        super().__init__()
        self.config, self.encoder, self.head = encoder.config, encoder, head
        init_linear(head)

    def forward(self, ids: Int[Tensor, "B T"], segments: Int[Tensor, "B T"] | None = None) -> Float[Tensor, "B ..."]:
        """What the head says: (B, C) of whole texts, (B, T, C) of tokens, (B, 2, T) of spans."""
        mask = masks.padding(ids, self.config.pad_id)  # (B, 1, 1, T)
        return self.head(self.encoder(ids, mask, segments), mask[:, 0, 0])
