"""Labelled texts for fine-tuning: encoded once, then dealt out as batches."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from tokenizers import Tokenizer

from ttlib.data.batch import Batch, epoch_seed
from ttlib.data.pairs import pad_rows
from ttlib.errors import require
from ttlib.shapes import Int, Tensor

IGNORE = -100  # a token that is not asked


class Example(NamedTuple):
    """One encoded text or pair, and what is asked of it: a class, a (first, last) token, or a tag per token."""

    ids: list[int]
    segments: list[int]
    target: int | tuple[int, int] | list[int]


@dataclass(frozen=True)
class LabelledBatch(Batch):
    """Rows of ids and segments, filled up with 0; ``targets``: (B,) classes, (B, 2) spans or (B, T) tags."""

    ids: Int[Tensor, "B T"]
    segments: Int[Tensor, "B T"]
    targets: Int[Tensor, "B ..."]


def label_texts(tokenizer: Tokenizer, texts: Sequence[str | tuple[str, str]], labels: Sequence[int]) -> list[Example]:
    """Texts, or pairs of texts, with a class each. The tokeniser adds [CLS] and [SEP].

    Raises:
        InputError: there are not as many labels as texts.
    """
    require(len(texts) == len(labels), "labels", len(labels), f"{len(texts)}, one for each text")
    encoded = [tokenizer.encode(*([text] if isinstance(text, str) else text)) for text in texts]
    return [Example(e.ids, e.type_ids, label) for e, label in zip(encoded, labels, strict=True)]


def label_span(tokenizer: Tokenizer, question: str, passage: str, start: int, end: int) -> Example:
    """A question and a passage, whose characters ``start`` to ``end`` - 1 are the answer: its first and last token.

    Raises:
        InputError: the passage has no such characters, or there is no token in them.
    """
    require(0 <= start < end <= len(passage), "start, end", (start, end), f"a span within {len(passage)} characters")
    e = tokenizer.encode(question, passage)
    inside = [
        i
        for i, ((left, right), sequence) in enumerate(zip(e.offsets, e.sequence_ids, strict=True))
        if sequence == 1 and left < end and start < right
    ]
    require(bool(inside), "start, end", (start, end), "an answer that has tokens")
    return Example(e.ids, e.type_ids, (inside[0], inside[-1]))


def label_words(tokenizer: Tokenizer, words: Sequence[str], tags: Sequence[int]) -> Example:
    """Words with a tag each. The first piece of a word is asked for its tag; the others have `IGNORE`.

    Raises:
        InputError: there are not as many tags as words.
    """
    require(len(words) == len(tags), "tags", len(tags), f"{len(words)}, one for each word")
    e = tokenizer.encode(list(words), is_pretokenized=True)
    target = [IGNORE] * len(e.ids)
    seen: set[int] = set()
    for i, word in enumerate(e.word_ids):
        if word is not None and word not in seen:
            seen.add(word)
            target[i] = tags[word]
    return Example(e.ids, e.type_ids, target)


def labelled_batch(examples: Sequence[Example]) -> LabelledBatch:
    """Some examples of one kind as one batch; tags are filled up with `IGNORE`.

    Raises:
        InputError: there are no examples.
    """
    require(len(examples) > 0, "examples", 0, "at least one")
    ids = pad_rows([e.ids for e in examples], multiple=8)
    segments = pad_rows([e.segments for e in examples], multiple=8)
    targets = [e.target for e in examples]
    if isinstance(targets[0], list):
        return LabelledBatch(ids, segments, pad_rows(cast("list[list[int]]", targets), IGNORE, multiple=8))
    return LabelledBatch(ids, segments, torch.tensor(targets))


class LabelledBatches:
    """Shuffled batches of ``size`` examples, the same for the same seed and epoch. The last one may be smaller.

    Raises:
        InputError: there are no examples, or the size is not positive.
    """

    def __init__(self, examples: Sequence[Example], size: int, seed: int = 0) -> None:
        require(len(examples) > 0, "examples", 0, "at least one")
        require(size > 0, "size", size, "a positive number")
        self.examples, self.size, self.seed = list(examples), size, seed

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[LabelledBatch, int]]:
        """Yield (batch, how much is asked in it), from batch ``start`` on."""
        order = list(range(len(self.examples)))
        random.Random(epoch_seed(self.seed, number)).shuffle(order)
        for first in range(start * self.size, len(order), self.size):
            batch = labelled_batch([self.examples[i] for i in order[first : first + self.size]])
            yield batch, int((batch.targets != IGNORE).sum())
