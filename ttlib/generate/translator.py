"""A model with its two tokenisers: sentences in, sentences out."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ttlib.data.pairs import pad_rows
from ttlib.data.translation import tag
from ttlib.generate.beam import beam_search
from ttlib.models.seq2seq import Seq2Seq
from ttlib.text.subwords import Subwords


@dataclass(frozen=True)
class Translator:
    """Translates lists of sentences."""

    model: Seq2Seq
    src: Subwords
    tgt: Subwords

    def ids(self, sentences: Sequence[str]) -> list[list[int]]:
        """Source ids with eos."""
        return [[*row, self.model.config.eos_id] for row in self.src.encode(sentences)]

    def prefix(self, edition: str) -> torch.Tensor:
        """What a target of this edition begins with."""
        return torch.tensor([self.tgt.id_of(tag(edition))])

    def translate(
        self, sentences: Sequence[str], edition: str = "basic", beam: int = 4, alpha: float = 1.0, batch: int = 50
    ) -> list[str]:
        """One translation per sentence, by beam search (``beam`` = 1: greedy).

        Raises:
            InputError: the edition is unknown to the model, or a sentence is longer than its positions.
        """
        found = self.search(self.ids(sentences), edition, beam, alpha, batch)
        return [self.tgt.decode(ids) for ids in found]

    def search(
        self, rows: Sequence[list[int]], edition: str = "basic", beam: int = 4, alpha: float = 1.0, batch: int = 50
    ) -> list[list[int]]:
        """The same from ids to ids: without the tag in front and eos behind.

        ``batch`` rows of similar length go together; a translation is cut off at twice the tokens of the
        longest of them, plus 10.
        """
        prefix, device = self.prefix(edition), next(self.model.parameters()).device
        output: list[list[int]] = [[] for _ in rows]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))  # alike lengths together: little padding
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            src = pad_rows([rows[i] for i in part], self.model.config.pad_id).to(device)
            longest = min(2 * src.size(1) + 10, self.model.config.max_len)
            found = beam_search(self.model, src, longest, beam, alpha, prefix)
            for i, ids in zip(part, found, strict=True):
                output[i] = ids
        return output
