"""A text in the making: what a model remembers between two tokens. The searches need to know no more of a model."""

from abc import ABC, abstractmethod
from typing import Any

import torch

from ttlib.models.decoder_only import DecoderOnly
from ttlib.models.seq2seq import Seq2Seq
from ttlib.shapes import Float, Int, Tensor


class Session(ABC):
    """Rows of tokens that grow together. Advance it in evaluation mode (`ttlib.runtime.eval_mode`)."""

    model: Any

    @abstractmethod
    def advance(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """Append ids to every row; the logits of what comes next."""

    @abstractmethod
    def select(self, rows: Int[Tensor, " N"]) -> None:
        """Keep these rows, in this order; a row may be taken more than once."""

    def reorder(self, parents: Int[Tensor, " B"]) -> None:
        """Let row i have the past of row ``parents[i]``, which goes back to the same prompt (beam search)."""
        self.select(parents)


class CachedSession(Session):
    """A decoder-only model that keeps the keys and values of all tokens so far."""

    def __init__(self, model: DecoderOnly) -> None:
        self.model = model
        self.caches = model.new_caches()

    def advance(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """Only the new ids go through the model."""
        return self.model.logits(self.model.states(ids, self.caches)[:, -1])

    def select(self, rows: Int[Tensor, " N"]) -> None:
        """Rows of the caches."""
        for cache in self.caches:
            cache.select(rows)


class UncachedSession(Session):
    """The same without a memory: every step feeds all tokens again. For comparison."""

    def __init__(self, model: DecoderOnly) -> None:
        self.model = model
        self.ids: Tensor | None = None

    def advance(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """All ids so far go through the model."""
        self.ids = ids if self.ids is None else torch.cat([self.ids, ids], 1)
        return self.model.logits(self.model.states(self.ids)[:, -1])

    def select(self, rows: Int[Tensor, " N"]) -> None:
        """Rows of the ids."""
        self.ids = None if self.ids is None else self.ids[rows]


class TranslationSession(Session):
    """An encoder–decoder model: the source is read at the first step, the target grows."""

    def __init__(self, model: Seq2Seq, src: Int[Tensor, "B S"]) -> None:
        self.model, self.src = model, src
        self.caches = model.decoder.new_caches()
        self.memory: tuple[Tensor, Tensor] | None = None

    def advance(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The new target ids attend to the source and to the target so far."""
        if self.memory is None:
            self.memory = self.model.encode(self.src)
        return self.model.logits(self.model.decode(ids, *self.memory, self.caches)[:, -1])

    def select(self, rows: Int[Tensor, " N"]) -> None:
        """Rows of the source, and of everything that is known of it."""
        self.src = self.src[rows]
        if self.memory is not None:
            self.memory = self.memory[0][rows], self.memory[1][rows]
        for cache in self.caches:
            cache.select(rows)

    def reorder(self, parents: Int[Tensor, " B"]) -> None:
        """The source's keys and values stay where they are: a row's parent translates the same sentence."""
        for cache in self.caches:
            cache.self_attention.select(parents)
