"""Batches for BERT's pretraining: pairs of segments, masked anew in every epoch."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ttlib.data.batch import Batch, epoch_seed
from ttlib.data.documents import Corpus
from ttlib.data.mlm import MaskingRule, mask_tokens
from ttlib.data.nsp import PairRule, SpanPair, pair_length, pair_rows, sentence_pairs
from ttlib.errors import require
from ttlib.shapes import Bool, Int, Tensor


@dataclass(frozen=True, kw_only=True)
class PretrainingData:
    """What to read: ``collections`` of `ttlib.data.documents`, comma-separated. The rest makes a `PairRule`.

    Raises:
        InputError: a share is not between 0 and 1, or ``min_len`` is too small.
    """

    collections: str = "basic,world,king_james,reviews"
    follows: float = 0.5
    hard: float = 0.5
    min_len: int = 16
    max_len: int = 256

    def __post_init__(self) -> None:
        """Check every value."""
        self.rule()

    def rule(self) -> PairRule:
        """How pairs are made."""
        return PairRule(follows=self.follows, hard=self.hard, min_len=self.min_len, max_len=self.max_len)


@dataclass(frozen=True)
class PretrainingBatch(Batch):
    """``ids`` as the model reads them, the ``originals``, which of them are ``selected``, segments and labels."""

    ids: Int[Tensor, "B T"]
    originals: Int[Tensor, "B T"]
    selected: Bool[Tensor, "B T"]
    segments: Int[Tensor, "B T"]
    labels: Int[Tensor, " B"]


class PretrainingBatches:
    """The batches of each epoch: the same for the same seed, whoever asks, from whichever step on.

    Every epoch cuts new pairs and masks them anew. A batch holds pairs of similar length, at most ``max_tokens`` with
    their padding. With several processes, each is told which it is, ``process`` = (rank, world), and takes every
    ``world``-th pair of every batch.

    Raises:
        InputError: a pair could exceed the budget, or a batch would not go round all processes.
    """

    def __init__(
        self,
        corpus: Corpus,
        vocab_size: int,
        max_tokens: int,
        *,
        pairs: PairRule = PairRule(),  # noqa: B008 (frozen)
        masking: MaskingRule = MaskingRule(),  # noqa: B008 (frozen)
        seed: int = 0,
        process: tuple[int, int] = (0, 1),
    ) -> None:
        need = process[1] * (pairs.max_len + 7)
        require(max_tokens >= need, "max_tokens", max_tokens, f"at least {need}, a pair for every process")
        self.corpus, self.vocab_size, self.max_tokens = corpus, vocab_size, max_tokens
        self.pairs, self.masking, self.seed, self.process = pairs, masking, seed, process

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[PretrainingBatch, int]]:
        """Yield (this process's rows of the batch, selected tokens in the whole batch), from batch ``start`` on."""
        seed = epoch_seed(self.seed, number)
        generator = random.Random(seed)
        pairs = list(sentence_pairs(self.corpus, self.pairs, generator))
        rank, world = self.process
        for index, rows in enumerate(batches_of_like_length(pairs, self.max_tokens, generator)):
            if index < start or len(rows) < world:
                continue
            whole = self.build([pairs[i] for i in rows], epoch_seed(seed, index))
            part = PretrainingBatch(*(value[rank::world] for value in vars(whole).values()))
            yield part, max(int(whole.selected.sum()), 1)

    def build(self, pairs: Sequence[SpanPair], seed: int) -> PretrainingBatch:
        """Some pairs as a batch, masked by a generator of this seed."""
        ids, segments, labels = pair_rows(self.corpus, pairs)
        generator = torch.Generator().manual_seed(seed)
        masked = mask_tokens(ids, self.vocab_size, generator, self.masking)
        return PretrainingBatch(masked.ids, ids, masked.selected, segments, labels)


def batches_of_like_length(pairs: Sequence[SpanPair], max_tokens: int, generator: random.Random) -> list[list[int]]:
    """Deal pairs into batches of at most ``max_tokens`` with their padding (to a multiple of 8), shuffled."""
    order = list(range(len(pairs)))
    generator.shuffle(order)
    order.sort(key=lambda i: -(-pair_length(pairs[i]) // 8))  # equal ones stay shuffled
    batches: list[list[int]] = [[]]
    for i in order:
        width = -(-pair_length(pairs[i]) // 8) * 8
        if width * (len(batches[-1]) + 1) > max_tokens:
            batches.append([])
        batches[-1].append(i)
    generator.shuffle(batches)
    return [batch for batch in batches if batch]
