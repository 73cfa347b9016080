"""Pairs of segments for next-sentence prediction (Devlin et al. 2018, §3.1, task 2), made from documents."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from ttlib.data.documents import Corpus
from ttlib.errors import require
from ttlib.shapes import Int, Tensor
from ttlib.text.wordpiece import CLS_ID, PAD_ID, SEP_ID

FOLLOWS, DIFFERENT = 0, 1  # the labels, in the original's order
Span = tuple[int, int]  # ids[start:end] of a corpus


class SpanPair(NamedTuple):
    """Two pieces of a corpus, and whether the second one is what follows the first."""

    a: Span
    b: Span
    label: int


@dataclass(frozen=True, kw_only=True)
class PairRule:
    """How pairs are made.

    ``follows`` of them are true. ``hard`` of the false ones take B from the same document, where one to three sentences
    were skipped; the others from another document of the same collection. ``max_len`` and ``min_len`` bound the pair,
    with its three special tokens; between them, lengths are drawn evenly.

    Raises:
        InputError: a share is not between 0 and 1, or there is no room for two segments.
    """

    follows: float = 0.5
    hard: float = 0.5
    min_len: int = 16
    max_len: int = 128

    def __post_init__(self) -> None:
        """Check every value."""
        require(0 <= self.follows <= 1, "follows", self.follows, "a share between 0 and 1")
        require(0 <= self.hard <= 1, "hard", self.hard, "a share between 0 and 1")
        require(self.min_len >= 8, "min_len", self.min_len, "at least 8: three special tokens and two segments")
        require(self.min_len <= self.max_len, "max_len", self.max_len, f"at least min_len={self.min_len}")


def sentence_pairs(corpus: Corpus, rule: PairRule, generator: random.Random) -> Iterator[SpanPair]:
    """Walk through the documents, in order, and yield pairs: a pure function of the generator.

    A is one or more whole sentences (of a long one, the end). B begins where a sentence does, and its length is drawn
    before its label: else a true B, which never stands behind a gap, would be longer, and length would tell.
    """
    own = {document: group for group in corpus.groups for document in group}
    for document in range(corpus.n_documents):
        at, last = corpus.first[document], corpus.first[document + 1]
        while at < last:
            room = generator.randint(rule.min_len, rule.max_len) - 3
            right = end_of_a(corpus, at, last, room * generator.uniform(0.25, 0.75))
            if right >= last:  # nothing follows A
                break
            a = (max(corpus.starts[at], corpus.starts[right] - room // 2), corpus.starts[right])
            gap = skipping(right, last, generator) if generator.random() < rule.hard else None
            length = min(room - (a[1] - a[0]), corpus.starts[last] - corpus.starts[gap or right])
            at = right
            if generator.random() < rule.follows:
                b = cut(corpus, document, right, length)
                yield SpanPair(a, b, FOLLOWS)
                at = bisect_left(corpus.starts, b[1], right, last)  # goes on behind B
            elif gap is not None:
                yield SpanPair(a, cut(corpus, document, gap, length), DIFFERENT)
            elif len(own[document]) > 1:
                other = another(own[document], document, generator)
                yield SpanPair(a, cut(corpus, other, beginning(corpus, other, length, generator), length), DIFFERENT)


def end_of_a(corpus: Corpus, at: int, last: int, wanted: float) -> int:
    """The sentence behind A, which begins with sentence ``at`` and has about ``wanted`` tokens, at least a sentence."""
    end = bisect_left(corpus.starts, corpus.starts[at] + wanted, at + 1, last)
    return max(end, at + 1)


def skipping(right: int, last: int, generator: random.Random) -> int | None:
    """A sentence one to three places behind the right one, if the document has it: B then leaves a gap."""
    return generator.randrange(right + 1, min(right + 4, last)) if right + 1 < last else None


def another(group: Sequence[int], document: int, generator: random.Random) -> int:
    """Another document of the same collection."""
    chosen = group[generator.randrange(len(group) - 1)]
    return group[-1] if chosen == document else chosen


def beginning(corpus: Corpus, document: int, length: int, generator: random.Random) -> int:
    """Any sentence of a document that has ``length`` tokens from there on; the first, if it is shorter than that."""
    first, last = corpus.first[document], corpus.first[document + 1]
    fits = bisect_right(corpus.starts, corpus.starts[last] - length, first, last)
    return generator.randrange(first, max(fits, first + 1))


def cut(corpus: Corpus, document: int, sentence: int, length: int) -> Span:
    """``length`` tokens from the beginning of a sentence on, or up to the end of its document."""
    start = corpus.starts[sentence]
    return start, min(start + length, corpus.starts[corpus.first[document + 1]])


def pair_rows(
    corpus: Corpus, pairs: Sequence[SpanPair], multiple: int = 8
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"], Int[Tensor, " B"]]:
    """``[CLS] A [SEP] B [SEP]``, filled up with [PAD]; segments (0 up to the first [SEP], then 1); labels.

    Raises:
        InputError: there are no pairs.
    """
    require(len(pairs) > 0, "pairs", 0, "at least one")
    width = max(pair_length(pair) for pair in pairs)
    width = -(-width // multiple) * multiple
    ids = torch.full((len(pairs), width), PAD_ID)
    segments = torch.zeros_like(ids)
    for row, (a, b, _) in enumerate(pairs):
        middle = a[1] - a[0] + 1
        end = middle + b[1] - b[0] + 1
        ids[row, 0] = CLS_ID
        ids[row, 1:middle] = corpus.ids[a[0] : a[1]]
        ids[row, middle] = ids[row, end] = SEP_ID
        ids[row, middle + 1 : end] = corpus.ids[b[0] : b[1]]
        segments[row, middle + 1 : end + 1] = 1
    return ids, segments, torch.tensor([pair.label for pair in pairs])


def pair_length(pair: SpanPair) -> int:
    """Tokens of a pair with its three special ones."""
    return pair.a[1] - pair.a[0] + pair.b[1] - pair.b[0] + 3
