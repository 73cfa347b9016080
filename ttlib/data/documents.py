"""Documents for pretraining: chapters and reviews, cut into sentences, encoded as one long row of ids."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import NamedTuple

import torch

from ttlib.data.bible import verse_pairs, verse_texts
from ttlib.data.records import split_by_group
from ttlib.data.reviews import read_reviews, split_reviews
from ttlib.errors import require
from ttlib.shapes import Int, Tensor
from ttlib.text.wordpiece import WordPiece

ENGLISH = ("basic", "world", "king_james")
COLLECTIONS = (*ENGLISH, "reviews")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[\"'(]?[A-Z0-9])")


class Document(NamedTuple):
    """Sentences that follow each other, and the collection that they are from."""

    collection: str
    sentences: list[str]


@dataclass(frozen=True)
class DocumentSplit:
    """Documents to learn from and documents to be judged by. No chapter stands in both, in whatever edition."""

    train: list[Document]
    valid: list[Document]


def sentences(text: str) -> list[str]:
    """Cut a text behind ``.``, ``!`` and ``?`` where a capital, a digit or a quotation follows: often right."""
    found, start = [], 0
    for match in SENTENCE_END.finditer(text):
        found.append(text[start : match.end()].strip())
        start = match.end()
    return [sentence for sentence in [*found, text[start:].strip()] if sentence]


def bible_documents(edition: str) -> Iterator[tuple[str, Document]]:
    """Yield every chapter of an edition by its number, such as ``1:24``; its sentences are the verses.

    Raises:
        InputError: the edition is unknown.
        DataError: the package is missing or its file is damaged.
    """
    chapters: dict[str, list[str]] = {}
    for number, text in verse_texts(edition).items():
        if text:
            chapters.setdefault(number.rpartition(":")[0], []).append(text)
    for chapter, verses in chapters.items():
        yield chapter, Document(edition, verses)


@cache
def held_out_chapters() -> frozenset[str]:
    """The chapters, such as ``1:24``, that nothing is trained on: `split_by_group` keeps them from the translators.

    Raises:
        DataError: the package is missing or its file is damaged.
    """
    verses = split_by_group(verse_pairs(tgt="basic"))
    return frozenset(pair.group for pair in [*verses.valid, *verses.test])


def load_documents(collections: Sequence[str] = COLLECTIONS) -> DocumentSplit:
    """Chapters of English editions and reviews of films, with a part of each held out.

    The chapters held out are the same in every edition, those of `held_out_chapters`; of the reviews, `split_reviews`
    keeps 4 %.

    Raises:
        InputError: a collection is unknown.
        DataError: a package is missing or its file is damaged.
    """
    train: list[Document] = []
    valid: list[Document] = []
    for name in collections:
        if name == "reviews":
            reviews = split_reviews(read_reviews("reviews"), valid=0.04, test=0.0)
            train += [Document(name, sentences(review.text)) for review in reviews.train]
            valid += [Document(name, sentences(review.text)) for review in reviews.valid]
            continue
        require(name in ENGLISH, "collections", name, f"reviews or one of {', '.join(ENGLISH)}")
        for chapter, document in bible_documents(name):
            (valid if chapter in held_out_chapters() else train).append(document)
    return DocumentSplit(train, valid)


@dataclass(frozen=True)
class Corpus:
    """Encoded documents, in one row of ids.

    Sentence i is ``ids[starts[i]:starts[i + 1]]``; document d has the sentences ``first[d]`` to ``first[d + 1] - 1``;
    ``groups`` lists the numbers of each collection's documents.
    """

    ids: Int[Tensor, " N"]
    starts: list[int]
    first: list[int]
    groups: list[list[int]]

    @property
    def n_documents(self) -> int:
        """How many documents there are."""
        return len(self.first) - 1


def encode_documents(documents: Iterable[Document], wordpiece: WordPiece) -> Corpus:
    """One long row of ids (16 bits each) with the places where sentences and documents begin.

    Raises:
        InputError: there are no documents, or the vocabulary is too large for 16 bits.
    """
    documents = list(documents)
    require(len(documents) > 0, "documents", 0, "at least one")
    require(len(wordpiece) <= 2**15, "wordpiece", len(wordpiece), f"at most {2**15} pieces")
    rows, lengths, counts = [], [], []
    groups: dict[str, list[int]] = {}
    for number, document in enumerate(documents):
        encoded = [ids for ids in wordpiece.encode(document.sentences) if ids]
        rows.append(torch.tensor([i for ids in encoded for i in ids], dtype=torch.int16))
        lengths += [len(ids) for ids in encoded]
        counts.append(len(encoded))
        groups.setdefault(document.collection, []).append(number)
    return Corpus(torch.cat(rows), [0, *accumulate(lengths)], [0, *accumulate(counts)], list(groups.values()))
