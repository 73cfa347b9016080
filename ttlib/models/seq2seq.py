"""The encoder–decoder transformer of the paper."""

from torch import nn

from ttlib.errors import require
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.decoder import Decoder
from ttlib.models.embedding import check_ids
from ttlib.models.encoder import Encoder
from ttlib.models.init import init_weights
from ttlib.nn import masks
from ttlib.nn.blocks import BlockCache
from ttlib.shapes import Bool, Float, Int, Tensor


class Seq2Seq(nn.Module):
    """Vaswani et al. 2017, figure 1. The output projection is the target embedding's own table (§3.4).

    The encoder's table is tied to it too where both languages share one vocabulary in the data; here
    Russian and English have a vocabulary each, so there are two tables.
    """

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        self.decoder = Decoder(config)
        init_weights(self)

    def forward(self, src: Int[Tensor, "B S"], tgt: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits of the token after each target token. ``tgt`` begins with bos (teacher forcing).

        Raises:
            InputError: ids outside the vocabulary, an empty batch, or a sequence beyond max_len.
        """
        return self.logits(self.states(src, tgt))

    def states(self, src: Int[Tensor, "B S"], tgt: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """The decoder's states, from which `logits` reads the next token."""
        memory, memory_mask = self.encode(src)
        return self.decode(tgt, memory, memory_mask)

    def encode(self, src: Int[Tensor, "B S"]) -> tuple[Float[Tensor, "B S D"], Bool[Tensor, "B 1 1 S"]]:
        """The source's vectors, and the mask that keeps queries away from its padding."""
        check_ids(src, self.config.src_vocab_size, "src")
        mask = masks.padding(src, self.config.pad_id)
        return self.encoder(src, mask), mask

    def decode(
        self,
        tgt: Int[Tensor, "B T"],
        memory: Float[Tensor, "B S D"],
        memory_mask: Bool[Tensor, "B 1 1 S"] | None = None,
        caches: list[BlockCache] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """States after each target token; with caches, ``tgt`` holds the tokens that are new.

        Padding in ``tgt`` stands on the right, behind every real token, so that the causal mask hides it.
        """
        check_ids(tgt, self.config.tgt_vocab_size, "tgt")
        if tgt.size(0) != memory.size(0):  # one would be repeated silently
            require(False, "tgt", tuple(tgt.shape), f"as many rows as the source, {memory.size(0)}")
        seen = len(caches[0].self_attention) if caches else 0
        mask = masks.causal(tgt.size(1), seen + tgt.size(1), tgt.device)
        return self.decoder(tgt, memory, mask, memory_mask, caches)

    def logits(self, states: Float[Tensor, "... D"]) -> Float[Tensor, "... V"]:
        """Scores of every word of the target vocabulary: states times the embedding table."""
        return nn.functional.linear(states, self.output_weight)

    @property
    def output_weight(self) -> Float[Tensor, "V D"]:
        """The table that embeds target tokens and also scores them."""
        return self.decoder.embedding.weight
